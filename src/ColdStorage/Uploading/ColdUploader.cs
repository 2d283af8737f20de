using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Brings one database's confirmed log to the store, from one node: the shell around <see cref="UploadCore"/>, which decides.</summary>
/// <remarks>
/// Safe for use by any thread. It holds one segment's entries and one chunk in memory at most, and reads both from the disk when their turn has come. Nothing that is confirmed waits for it.
/// </remarks>
public sealed class ColdUploader : IAsyncDisposable
{
    private const int TailBytes = SegmentFooter.SizeBytes;

    private readonly ColdStore _cold;
    private readonly IUploadSource _source;
    private readonly UploadCore _core; // under _gate
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<(Position Wanted, TaskCompletionSource Done)> _waiting = []; // under _gate
    private EpochTable _epochs = EpochTable.Empty; // at what is stored; used by one action at a time
    private long _lastCommitTime; // the same
    private TakenSnapshot? _taken; // handed from one action to the next
    private IReadOnlyDictionary<string, int> _knownChunks = new Dictionary<string, int>(); // of the newest snapshot
    private bool _knowsEpochs; // used by one action at a time
    private Task _logLane = Task.CompletedTask; // under _gate
    private Task _snapshotLane = Task.CompletedTask; // under _gate
    private bool _isDisposed; // under _gate

    internal ColdUploader(ColdStore cold, IUploadSource source, bool isLeader, StoredLog? known, TimeSpan chance)
    {
        _cold = cold;
        _source = source;
        _core = new UploadCore(cold.Upload, isLeader, known?.To ?? Position.Start, known, chance);
        _timer = cold.Time.CreateTimer(_ => Tell(static (core, now, actions) => core.Advance(now, actions)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Everything up to here is in the store; <see langword="null"/> while that is not known.</summary>
    public Position? StoredTo
    {
        get
        {
            lock (_gate)
            {
                return _core.StoredTo;
            }
        }
    }

    /// <summary>Where a log may be trimmed that enough copies hold up to a position: behind what is stored, and behind the newest snapshot or those copies.</summary>
    public Position MayTrimTo(Position copies)
    {
        lock (_gate)
        {
            var stored = _core.StoredTo ?? Position.Start;
            var held = copies > _core.Base ? copies : _core.Base;
            return held < stored ? held : stored;
        }
    }

    /// <summary>The newest snapshot holds everything up to here.</summary>
    public Position Base
    {
        get
        {
            lock (_gate)
            {
                return _core.Base;
            }
        }
    }

    internal DatabaseId Database => _source.Database;

    /// <summary>More is confirmed. Quick.</summary>
    /// <param name="position">Up to here.</param>
    /// <param name="bytes">Of entries since the last call, where known.</param>
    public void Confirm(Position position, long bytes = 0) => Tell((core, now, actions) => core.Confirm(position, bytes, now, actions));

    /// <summary>Completes when everything that is confirmed now is in the store.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up, or the uploader ended.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        var wanted = _source.Confirmed;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_core.StoredTo >= wanted)
            {
                return;
            }

            _waiting.Add((wanted, done));
        }

        Tell((core, now, actions) =>
        {
            core.Confirm(wanted, 0, now, actions);
            core.Ask(now, actions);
        });
        await done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends; what is under way is broken off, and done again by whoever comes next.</summary>
    public async ValueTask DisposeAsync()
    {
        Task lanes;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            lanes = Task.WhenAll(_logLane, _snapshotLane);
        }

        await _stopping.CancelAsync();
        await _timer.DisposeAsync();
        await lanes;
        StoredLog? known;
        lock (_gate)
        {
            foreach (var (_, waiter) in _waiting)
            {
                waiter.TrySetCanceled();
            }

            known = _core.Known;
        }

        _cold.Forget(this, known);
        _stopping.Dispose();
    }

    private void Tell(Action<UploadCore, TimeSpan, List<UploadAction>> tell)
    {
        List<TaskCompletionSource> done = [];
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            var actions = new List<UploadAction>();
            tell(_core, Now, actions);
            foreach (var action in actions)
            {
                // Tell is never called from within a lane's synchronous part, so each lane is over, or about to be, when its next action comes.
                if (action is UploadAction.Find or UploadAction.Store)
                {
                    _logLane = RunAsync(_logLane, action);
                }
                else
                {
                    _snapshotLane = RunAsync(_snapshotLane, action);
                }
            }

            if (_core.StoredTo is { } stored)
            {
                done.AddRange(_waiting.Where(waiter => waiter.Wanted <= stored).Select(static waiter => waiter.Done));
                _waiting.RemoveAll(waiter => waiter.Wanted <= stored);
            }

            _timer.Change(_core.NextWake is { } wake ? Positive(wake - Now) : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        done.ForEach(static waiter => waiter.TrySetResult());
    }

    private TimeSpan Now => _cold.Time.GetElapsedTime(0);

    private static TimeSpan Positive(TimeSpan due) => due > TimeSpan.FromMilliseconds(1) ? due : TimeSpan.FromMilliseconds(1);

    private async Task RunAsync(Task before, UploadAction action)
    {
        await before;
        await Task.Run(async () =>
        {
            try
            {
                await (action switch
                {
                    UploadAction.Find => FindAsync(),
                    UploadAction.Store store => StoreAsync(store.After),
                    UploadAction.TakeSnapshot => TakeAsync(),
                    _ => PublishAsync(),
                });
            }
            catch (Exception e)
            {
                Fail(action, e);
            }
        });
    }

    private void Fail(UploadAction action, Exception reason)
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        ColdLog.UploadFailed(_cold.Logger, Database, reason);
        if (action is UploadAction.Find or UploadAction.Store)
        {
            Tell(static (core, now, actions) => core.Failed(now, actions));
        }
        else
        {
            _taken = null;
            Tell(static (core, now, actions) => core.SnapshotFailed(now, actions));
        }
    }

    private async Task FindAsync()
    {
        var found = await new StoredLogSearch(_cold, _source, _stopping.Token).FindAsync();
        (_epochs, _lastCommitTime, _knowsEpochs) = (found.Epochs ?? EpochTable.Empty, found.CommitTime, found.Epochs is not null);
        _knownChunks = found.Newest is { } newest ? ChunksOf(newest) : new Dictionary<string, int>();
        Tell((core, now, actions) => core.Found(found.Log, _source.DatabaseBytes, now, actions));
    }

    private static Dictionary<string, int> ChunksOf(SnapshotManifest manifest)
    {
        var chunks = new Dictionary<string, int>();
        foreach (var chunk in manifest.Chunks)
        {
            chunks[ColdNames.Chunk(manifest.Database, chunk.Sha256.AsSpan())] = chunk.StoredBytes;
        }

        return chunks;
    }

    private async Task StoreAsync(Position after)
    {
        if ((after == Position.Start && _source.First != Position.Start) || !_source.Holds(after))
        {
            _knowsEpochs = false; // at what was stored; the chain goes on elsewhere
            Tell(static (core, now, actions) => core.LogGone(now, actions));
            return;
        }

        if (!_knowsEpochs)
        {
            _epochs = RestoreRun.EpochsAt(_source.Epochs ?? throw new InvalidOperationException($"The epochs of {Database} up to {after} are not known here."), after);
            _knowsEpochs = true;
        }

        var entries = Collect(after);
        if (entries.Count == 0)
        {
            Tell(static (core, now, actions) => core.Failed(now, actions)); // confirmed by others, and not yet on this disk
            return;
        }

        if (_source.Record is { } record)
        {
            await _cold.KeepRecordAsync(record, cancellationToken: _stopping.Token); // first: no log without a name
        }

        var segment = SegmentBuilder.Build(entries, LastTable(entries), _cold.Upload.Compress);
        await PutAsync(segment);
        await _cold.Store.ReplaceAsync(ColdNames.Head(Database), HeadObject.Write(Database, segment.Footer.Last), _stopping.Token);
        (_epochs, _lastCommitTime) = (LastTable(entries), segment.Footer.LastCommitTime);
        ColdLog.SegmentStored(_cold.Logger, Database, segment.Footer.Last, segment.Footer.EntryCount, segment.Footer.ObjectBytes);
        Tell((core, now, actions) => core.Stored(segment.Footer.Last, segment.Footer.Entries.Bytes, _source.DatabaseBytes, now, actions));
    }

    private EpochTable LastTable(List<Entry> entries) => entries.LastOrDefault(static entry => entry.EpochTable is not null)?.EpochTable ?? _epochs;

    private List<Entry> Collect(Position after)
    {
        var confirmed = _source.Confirmed;
        var entries = new List<Entry>();
        long bytes = 0;
        while (bytes < _cold.Upload.SegmentBytes && after < confirmed)
        {
            var read = _source.Read(after, _cold.Upload.SegmentBytes - bytes);
            foreach (var entry in read.TakeWhile(entry => entry.End <= confirmed))
            {
                if (bytes >= _cold.Upload.SegmentBytes)
                {
                    return entries;
                }

                entries.Add(entry);
                bytes += entry.Encoded.Length;
                after = entry.End;
            }

            if (read.Count == 0 || after != read[^1].End)
            {
                break;
            }
        }

        return entries;
    }

    // Read back where it ends: a store that kept less than it was given, or nothing, is found out at once.
    private async Task PutAsync(Segment segment)
    {
        var isNew = await _cold.Store.PutAsync(segment.Name, segment.Parts, _stopping.Token);
        var tail = new byte[TailBytes];
        try
        {
            var found = await _cold.Store.FindAsync(segment.Name, _stopping.Token) ?? throw new ObjectMissingException(segment.Name, _cold.Store.Description);
            if (found.SizeBytes < TailBytes + SegmentFooter.HeadBytes)
            {
                throw new ObjectDamagedException(segment.Name, $"it has {found.SizeBytes} bytes");
            }

            await _cold.Store.ReadAsync(segment.Name, found.SizeBytes - TailBytes, tail, _stopping.Token);
            if (SegmentFooter.TryRead(SegmentFooter.Head(), tail, found.SizeBytes, out var footer) is { } fault || footer!.Last != segment.Footer.Last)
            {
                throw new ObjectDamagedException(segment.Name, "what was stored is not what it holds");
            }

            if (!isNew)
            {
                // A try before this one stored it, whose answer was lost; or it was passed over because it cannot be read.
                var reader = await SegmentReader.OpenAsync(_cold.Store, Database, found, _stopping.Token);
                await reader.ReadEntriesAsync(_stopping.Token);
                await reader.ReadPagesAsync(_stopping.Token);
                await reader.ReadEpochsAsync(_stopping.Token);
            }
        }
        catch (Exception e) when (e is ObjectDamagedException)
        {
            await _cold.Store.DeleteAsync(segment.Name, _stopping.Token); // we have what it should hold: the next try stores it again
            throw;
        }
    }

    private async Task TakeAsync()
    {
        using var file = _source.OpenMainFile() ?? throw new InvalidOperationException($"There is no file of {Database} here to take a snapshot of.");
        if (file.ReadMarks().From is var from && from == Base && from != Position.Start)
        {
            Tell(static (core, now, actions) => core.Unchanged(now, actions));
            return;
        }

        _taken = await new SnapshotTaker(_cold.Store, _cold.Upload, _cold.Time).TakeAsync(Database, file, _knownChunks, _stopping.Token);
        Tell((core, now, actions) => core.Taken(_taken.From, _taken.To, now, actions));
    }

    private async Task PublishAsync()
    {
        var taken = _taken!;

        // Of an idle database nothing was stored behind the snapshot, which would have told them.
        var known = _knowsEpochs ? _epochs : _source.Epochs ?? throw new InvalidOperationException($"The epochs of {Database} up to {taken.To} are not known here.");
        var epochs = RestoreRun.EpochsAt(known, taken.To);
        if (!ColdTimeline.IsOn(epochs, taken.To))
        {
            throw new InvalidOperationException($"The epochs of {Database} that are known here do not hold {taken.To}, which a snapshot reaches: it would be of no use.");
        }

        var manifest = new SnapshotManifest
        {
            Database = Database,
            From = taken.From,
            To = taken.To,
            CommitTime = _lastCommitTime,
            PageSizeBytes = taken.PageSizeBytes,
            SizePages = taken.SizePages,
            PagesPerChunk = taken.PagesPerChunk,
            Epochs = epochs,
            Chunks = taken.Chunks,
        };
        manifest = await new SnapshotPublisher(_cold, manifest).RunAsync(_stopping.Token);
        (_knownChunks, _taken) = (ChunksOf(manifest), null);
        ColdLog.SnapshotStored(_cold.Logger, Database, manifest.From, manifest.To, (long)manifest.SizePages * manifest.PageSizeBytes);
        Tell(static (core, now, actions) => core.Published(0, now, actions));
    }
}
