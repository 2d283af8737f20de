using System.Globalization;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>This node's copies of the past: built from cold storage by the first read of a bookmark, kept a while, bounded in number and bytes.</summary>
internal sealed class PastCopies : IPastCopies, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(DatabaseId Database, Bookmark At), Slot> _slots = []; // under _gate, as what the slots hold
    private readonly SemaphoreSlim _building;
    private readonly NodeContext _node;
    private readonly ColdStore _cold;
    private readonly string _folder;
    private readonly PastCopyOptions _options;
    private readonly ReaderOptions _readers;
    private readonly TransactionOptions _transactions;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _sweep;
    private long _lastFile; // under _gate

    public PastCopies(NodeContext node, ColdStore cold, string folder, PastCopyOptions options, ReaderOptions readers, TransactionOptions transactions)
    {
        (_node, _cold, _folder, _options, _readers, _transactions) = (node, cold, folder, options, readers, transactions);
        _building = new SemaphoreSlim(options.MaxBuilding);
        _sweep = node.Time.CreateTimer(_ => Sweep(), null, options.Idle / 4, options.Idle / 4);
    }

    public async Task<PastCopyLease?> UseAsync(DatabaseRecord database, Bookmark at, CancellationToken cancellationToken)
    {
        Slot slot;
        List<Slot> gone;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            gone = Find(database, at, out slot);
            slot.Users++;
        }

        await LetGoAsync(gone);
        PastCopy? copy = null;
        try
        {
            copy = await slot.Copy.WaitAsync(cancellationToken);
            return copy is null ? null : new PastCopyLease(copy, () => Leave(slot));
        }
        finally
        {
            if (copy is null)
            {
                Leave(slot); // nothing to read, or the caller gave up: the copy is kept for the next one all the same
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Slot> all;
        await _stopping.CancelAsync();
        lock (_gate)
        {
            all = [.. _slots.Values];
            _slots.Clear();
        }

        await _sweep.DisposeAsync();
        await LetGoAsync(all);
    }

    // Under _gate. What has to go for it is returned.
    private List<Slot> Find((DatabaseId, Bookmark) key, DatabaseRecord database, Bookmark at, out Slot slot)
    {
        List<Slot> gone = [];
        if (_slots.TryGetValue(key, out var found) && !found.HasFailed)
        {
            slot = found;
            return gone;
        }

        if (found is not null)
        {
            _slots.Remove(key);
        }

        while (_slots.Count >= _options.MaxCopies)
        {
            var oldest = _slots.Where(static item => item.Value.Users == 0).OrderBy(static item => item.Value.LastUse).Select(static item => ((DatabaseId, Bookmark)?)item.Key).FirstOrDefault()
                ?? throw new RequestException(ErrorCodes.Overloaded, $"{_options.MaxCopies} past states are being read at this node, and no more are kept at a time. Nothing was done; try again.");
            gone.Add(_slots[oldest]);
            _slots.Remove(oldest);
        }

        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"past-{++_lastFile}.sqlite"));
        slot = new Slot(Task.Run(() => BuildAsync(database, at, path)));
        _slots.Add(key, slot);
        return gone;
    }

    private List<Slot> Find(DatabaseRecord database, Bookmark at, out Slot slot) => Find((database.Id, at), database, at, out slot);

    private void Leave(Slot slot)
    {
        lock (_gate)
        {
            slot.Users--;
            slot.LastUse = _node.Time.GetTimestamp();
        }
    }

    // What nobody has read for a while, and the least used above the bound of bytes.
    private void Sweep()
    {
        List<Slot> gone = [];
        lock (_gate)
        {
            var bytes = _slots.Values.Sum(static slot => slot.SizeBytes);
            foreach (var (key, slot) in _slots.Where(static item => item.Value.Users == 0).OrderBy(static item => item.Value.LastUse).ToList())
            {
                if (slot.HasFailed || _node.Time.GetElapsedTime(slot.LastUse) >= _options.Idle || bytes > _options.MaxBytes)
                {
                    bytes -= slot.SizeBytes;
                    _slots.Remove(key);
                    gone.Add(slot);
                }
            }
        }

        _ = LetGoAsync(gone);
    }

    private static async Task LetGoAsync(List<Slot> gone)
    {
        foreach (var slot in gone)
        {
            await ((Task)slot.Copy).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (slot.Copy is { IsCompletedSuccessfully: true } built && await built is { } copy)
            {
                copy.BeginStop();
                copy.Abort();
                await copy.DisposeAsync();
            }
        }
    }

    private async Task<PastCopy?> BuildAsync(DatabaseRecord database, Bookmark at, string path)
    {
        await _building.WaitAsync(_stopping.Token);
        try
        {
            Directory.CreateDirectory(_folder);
            var wanted = await _cold.Restorer.LocateAsync(database.Id, at, _stopping.Token);
            var bytes = (long)wanted.SizePages * wanted.PageSizeBytes;
            if (bytes > _options.MaxBytes)
            {
                throw new RequestException(
                    ErrorCodes.InvalidRequest, $"The database had {bytes} bytes then, and at most {_options.MaxBytes} are kept at a node for reads of past states. Fork it instead. Nothing was done.");
            }

            Sweep(); // makes room
            var state = await _cold.Restorer.RestoreAsync(database.Id, path, at, _stopping.Token);
            return new PastCopy(_node, database, path, state.Position, _readers, _transactions);
        }
        catch (BookmarkNotStoredException)
        {
            return null;
        }
        catch (ObjectStoreException e)
        {
            LocalFile.Remove(path);
            File.Delete(path + "-progress"); // another build takes another file
            throw new RequestException(e.IsTransient ? ErrorCodes.NoPrimary : ErrorCodes.SqliteCorrupt, $"{e.Message} Nothing was done.");
        }
        finally
        {
            _building.Release();
        }
    }

    private sealed class Slot(Task<PastCopy?> copy)
    {
        public Task<PastCopy?> Copy => copy;

        public int Users { get; set; }

        public long LastUse { get; set; }

        public long SizeBytes => copy.IsCompletedSuccessfully ? Completed?.SizeBytes ?? 0 : 0;

        // Nothing, too: what is not stored yet may be a moment later.
        public bool HasFailed => copy.IsCompleted && Completed is null;

        private PastCopy? Completed => copy.IsCompletedSuccessfully ? copy.GetAwaiter().GetResult() : null; // completed: it does not block
    }
}

/// <summary>Bounds of the copies of past states at a node.</summary>
public sealed record PastCopyOptions
{
    /// <summary>Copies at a time. Default 8.</summary>
    public int MaxCopies { get; init; } = 8;

    /// <summary>Their bytes together; a database that was larger is not read this way. Default 16 GiB.</summary>
    public long MaxBytes { get; init; } = 16L << 30;

    /// <summary>Builds at a time. Default 2.</summary>
    public int MaxBuilding { get; init; } = 2;

    /// <summary>One that nobody reads is kept for so long. Default 5 min.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(5);
}
