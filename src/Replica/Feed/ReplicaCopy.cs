using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica;

/// <summary>The copy: carries out on the file what <see cref="ApplyCore"/> decides, and tells the waiters what readers see.</summary>
/// <remarks>Owned by the feed's loop; readers take <see cref="Reads"/> and <see cref="Mark"/>, which are swapped in one write each.</remarks>
internal sealed partial class ReplicaCopy(ReplicaContext context, DatabaseId database, BookmarkWaiters waiters) : IAsyncDisposable
{
    private const int CorruptIndex = SqliteCodes.Corrupt | (3 << 8);
    private static readonly TimeSpan _patienceWithReaders = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _betweenRebuilds = TimeSpan.FromMinutes(1);

    private readonly List<ApplyAction> _actions = [];
    private readonly Queue<Deferred> _deferred = new(); // what arrived while the WAL waits for its restart; bounded by the sender's window
    private readonly KnownTexts _known = new();
    private readonly RunningSnapshots _sending = new(context.Options.SnapshotPatience, context.Time);
    private ReplicaFile? _file; // written by the feed's loop
    private ReadRunner<VisibleMark?>? _reads; // written by the feed's loop, together with the file
    private VisibleMark? _mark; // written by the feed's loop, before readers can see the position; null while nothing may be read
    private ApplyCore _core = new(Position.Start, Position.Start);
    private long _restartAt = context.Options.RestartWalBytes; // length of the WAL that is too long
    private bool _restartWanted;
    private int _damaged; // 1 when a reader has met damage, by Interlocked; taken by the feed's loop
    private LogState _state = LogState.Empty; // of the log up to what was taken, or beyond; written by the feed's loop
    private long _rebuiltAt; // timestamp of the last rebuild for damage, 0 before the first; written by the feed's loop

    /// <summary>There is a file, at <see cref="Visible"/>.</summary>
    public bool HasFile => _file is not null;

    /// <summary>Runs queries; <see langword="null"/> while there is no file.</summary>
    public ReadRunner<VisibleMark?>? Reads => Volatile.Read(ref _reads);

    /// <summary>At or after what a snapshot taken before shows. <see langword="null"/> while nobody may read.</summary>
    public VisibleMark? Mark => Volatile.Read(ref _mark);

    /// <summary>Everything up to here is taken over, hidden or visible.</summary>
    public Position Visible => _core.Visible;

    /// <summary>What the main file holds, synced.</summary>
    public Position CheckpointedTo => _file?.Sidecar.From ?? Position.Start;

    /// <summary>Length of the WAL. Safe for use by any thread.</summary>
    public long WalSizeBytes => Volatile.Read(ref _file)?.WalSizeBytes ?? 0;

    /// <summary>Sends what this copy shows to a node that begins to lead and has no copy from which the log reaches on. Safe for use by any thread.</summary>
    /// <param name="atLeast">An older copy is of no use.</param>
    /// <param name="write">Sends a part.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How new the pages may be that were sent, and what is known of the log there.</returns>
    /// <exception cref="RequestException">There is no such copy here, or it took so long that the WAL had grown much too long, or that the file had to go.</exception>
    public async Task<(Position To, LogState State)> SendBaseAsync(
        Position atLeast, Func<SubscribeResponse.Types.SnapshotPart, CancellationToken, ValueTask> write, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _file) is not { } file || file.Sidecar.From is var from && from < atLeast)
        {
            throw new RequestException(ErrorCodes.CopyStale, $"This node's copy of {database} is at {CheckpointedTo}; one at {atLeast} or later is wanted. Ask another node.");
        }

        // What is visible now is at or after `from`; and at or before what is noted behind it, since the mark is raised before readers see more.
        using var use = file.Snapshots.Enter();
        using var running = _sending.Begin("", cancellationToken); // whoever asks for one has other nodes to ask
        if (!ReferenceEquals(Volatile.Read(ref _file), file))
        {
            throw new RequestException(ErrorCodes.CopyStale, $"This node's copy of {database} is going away. Ask another node."); // whoever closes it ended those that had begun by then
        }

        var snapshot = await context.Workers.RunAsync(() => SnapshotReader.Open(Path));
        var (noted, marked, state) = (file.Sidecar.To, Mark?.Position ?? Position.Start, Volatile.Read(ref _state));
        await using var sender = new SnapshotSender(snapshot, from, state.CommitTimeMicroseconds, context.Workers, context.Time);
        try
        {
            await sender.SendAsync(write, running.Token);
            running.IsComplete = true;
            return (noted > marked ? noted : marked, state);
        }
        catch (OperationCanceledException) when (running.WasEnded && !cancellationToken.IsCancellationRequested)
        {
            throw running.Reason;
        }
    }

    /// <summary>Where the main file lies.</summary>
    public string Path { get; } = System.IO.Path.Combine(context.FolderOf(database), "db.sqlite");

    /// <summary>With the policy of the primary: the same statement is refused with the same words.</summary>
    private ReaderOptions ReaderOptions => context.Options.Readers.ForProfile(() => context.Control.Find(database)?.Profile ?? SqlPolicy.Default.Name);

    /// <summary>A statement has been found to write before: the primary is asked at once, whatever bookmark is waited for here.</summary>
    public bool IsKnownToWrite(IReadOnlyList<Statement> statements)
    {
        foreach (var statement in statements)
        {
            if (_known.Contains(statement.Sql))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Opens what the last run left. A damaged copy is removed: it can be built again.</summary>
    public void Open()
    {
        Directory.CreateDirectory(context.FolderOf(database));
        try
        {
            _state = LogStateFile.Read(LogStateFile.PathOf(Path));
            Use(ReplicaFile.TryOpen(Path, database, ReaderOptions));
        }
        catch (Exception e) when (e is InvalidDataException or SqliteException or EntryFormatException)
        {
            ReplicaLog.Damaged(context.Logger, database, e.Message);
            RemoveFiles();
            Use(null);
        }
    }

    /// <summary>A reader's query has failed. If that is because pages of this copy are damaged, the copy is built again, at most once a minute.</summary>
    /// <remarks>Damage that the primary has too comes back with the snapshot: then its own answer says so. Safe for use by any thread.</remarks>
    /// <returns>Whether it is that: the primary may have a better answer.</returns>
    public bool ReportIfDamaged(SqlError error)
    {
        if (error.SqliteCode is not (SqliteCodes.Corrupt or SqliteCodes.NotADatabase or CorruptIndex))
        {
            return false;
        }

        var rebuiltAt = Volatile.Read(ref _rebuiltAt);
        if (rebuiltAt == 0 || context.Time.GetElapsedTime(rebuiltAt) > _betweenRebuilds)
        {
            Volatile.Write(ref _damaged, 1);
        }

        return true;
    }

    /// <summary>Whether the copy has to be built again. Asked by the feed's loop; a yes is given once.</summary>
    public bool TakeDamage()
    {
        if (Volatile.Read(ref _damaged) == 0 || Interlocked.Exchange(ref _damaged, 0) == 0)
        {
            return false;
        }

        Volatile.Write(ref _rebuiltAt, context.Time.GetTimestamp());
        return _file is not null;
    }

    /// <summary>A stream of a leadership begins. What is hidden is forgotten, since it comes again.</summary>
    /// <param name="leader">Its epoch.</param>
    /// <param name="epochs">The epochs up to it, all of them confirmed.</param>
    /// <returns><see langword="false"/> if that leadership is over.</returns>
    public bool Welcome(uint leader, EpochTable epochs)
    {
        if (!_core.Hear(leader))
        {
            return false;
        }

        _state = _state with { Epochs = epochs };
        _deferred.Clear();
        _restartWanted = false;
        _core.Forget(_actions);
        CarryOut(null);
        return true;
    }

    /// <summary>An entry has arrived.</summary>
    /// <returns>What the stream is to do.</returns>
    public FeedVerdict Take(uint leader, Entry entry)
    {
        if (_restartWanted)
        {
            _deferred.Enqueue(new(leader, entry, default));
            return FeedVerdict.GoOn;
        }

        _core.Entry(leader, entry.End, entry.Predecessor, _actions);
        _state = _state with { CommitTimeMicroseconds = Math.Max(_state.CommitTimeMicroseconds, entry.Header.CommitTimeMicroseconds) };
        return CarryOut(entry);
    }

    /// <summary>A mark has arrived.</summary>
    /// <returns>What the stream is to do.</returns>
    public FeedVerdict TakeMark(uint leader, Position position)
    {
        if (_restartWanted && position > _core.Received)
        {
            // It names an entry that waits behind the restart; what is in the WAL comes before that entry, so it is confirmed too.
            _deferred.Enqueue(new(leader, null, position));
            position = _core.Received;
        }

        _core.Mark(leader, position, _actions);
        return CarryOut(null);
    }

    /// <summary>Puts a snapshot in the place of the file. Readers are drained first; nobody reads until the next mark.</summary>
    public async Task InstallAsync(SnapshotReceiver snapshot)
    {
        await CloseFileAsync();
        _state = _state with { CommitTimeMicroseconds = snapshot.CommitTimeMicroseconds };
        await context.Workers.RunAsync(() => snapshot.Install(database, _state));
        Use(ReplicaFile.TryOpen(Path, database, ReaderOptions));
    }

    /// <summary>Builds the file from cold storage, if there is none and that is worth while. Nobody reads until the next mark.</summary>
    /// <returns>The state; <see langword="null"/>: the primary is asked for a snapshot.</returns>
    public async Task<Position?> BootAsync(CancellationToken cancellationToken)
    {
        var temporary = Path + ".restoring";
        if (HasFile || context.BootAsync is not { } boot || await boot(database, temporary, cancellationToken) is not { } built)
        {
            return null;
        }

        await CloseFileAsync();
        _state = built.State;
        await context.Workers.RunAsync(() =>
        {
            LogStateFile.Write(LogStateFile.PathOf(Path), built.State); // first: the sidecar vouches for it
            LocalFile.Install(Path, temporary, new Sidecar(database, built.Position, built.Position));
        });
        Use(ReplicaFile.TryOpen(Path, database, ReaderOptions));
        return built.Position;
    }

    /// <summary>Ends the reads under way. Safe for use by any thread.</summary>
    public void Abort() => Volatile.Read(ref _file)?.Readers.Abort();

    /// <summary>Forgets the copy for good: it is built again from a snapshot.</summary>
    public async Task RemoveAsync()
    {
        await CloseFileAsync();
        RemoveFiles();
        Use(null);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_file is { IsCheckpointed: false } file)
            {
                await context.Workers.RunAsync(() => file.Checkpoint(_core.Visible, _state)); // the next start replays the less
            }
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException or RequestException or ObjectDisposedException)
        {
            ReplicaLog.LastCheckpointFailed(context.Logger, database, e);
        }
        finally
        {
            await CloseFileAsync(); // whatever it was: a file that stays open here is in the next one's way until the process ends
        }
    }

    private void RemoveFiles()
    {
        LocalFile.Remove(Path);
        File.Delete(LogStateFile.PathOf(Path));
        _state = LogState.Empty;
    }

    private void Use(ReplicaFile? file)
    {
        _file = file;
        Volatile.Write(
            ref _reads,
            file is null ? null : new ReadRunner<VisibleMark?>(file.Readers, context.Workers, _known, new SnapshotSource(this), context.Time));
        _core = file is null ? new ApplyCore(Position.Start, Position.Start) : new ApplyCore(file.Sidecar.From, file.Sidecar.To);
    }

    private async Task CloseFileAsync()
    {
        waiters.Suspend();
        Volatile.Write(ref _mark, null);
        if (_file is { } file)
        {
            Volatile.Write(ref _file, null);
            Volatile.Write(ref _reads, null);
            _sending.EndAll(); // the file is not closed before
            await file.DisposeAsync();
        }
    }

    private FeedVerdict CarryOut(Entry? entry)
    {
        var verdict = FeedVerdict.GoOn;
        foreach (var action in _actions)
        {
            switch (action.Kind)
            {
                case ApplyActionKind.Append:
                    verdict = Append(entry!);
                    break;
                case ApplyActionKind.DiscardAfter:
                    _file?.DiscardAfter(action.Position);
                    break;
                case ApplyActionKind.Publish:
                    Publish(action.Position);
                    break;
                case ApplyActionKind.Resubscribe:
                    verdict = FeedVerdict.Resubscribe;
                    break;
                case ApplyActionKind.Diverged:
                    verdict = FeedVerdict.Diverged;
                    break;
            }
        }

        _actions.Clear();
        return verdict;
    }

    private FeedVerdict Append(Entry entry)
    {
        try
        {
            _file!.Append(entry);
            return FeedVerdict.GoOn;
        }
        catch (PageMismatchException e)
        {
            ReplicaLog.Mismatch(context.Logger, database, e.Message);
            return FeedVerdict.Mismatch;
        }
        catch (Exception e) when (e is not (IOException or UnauthorizedAccessException or SqliteException)) // a disk's fault is none of the entry's
        {
            ReplicaLog.NotApplied(context.Logger, database, entry.End, e);
            return FeedVerdict.NotApplied;
        }
    }

    private void Publish(Position position)
    {
        // The mark first: a reader's answer carries a bookmark at or after what it saw, whichever of the two it meets.
        if (_core.IsReady)
        {
            Volatile.Write(ref _mark, new VisibleMark(database, position));
        }

        _file!.Publish(position);
        if (_core.IsReady)
        {
            waiters.Advance(position);
        }
    }

    private readonly record struct Deferred(uint Leader, Entry? Entry, Position Mark);
}
