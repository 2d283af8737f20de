using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>One copy's read connections: lent to one read at a time, in the order of asking.</summary>
/// <remarks>
/// A read that finds none free waits, holding nothing; so many may wait and no more. <see cref="TryHoldAsync"/> empties the pool for the few milliseconds
/// that a restart of the WAL takes. Idle connections keep the snapshot of their last read; <see cref="LetGo"/> ends those. Safe for use by any thread.
/// </remarks>
public sealed partial class DatabaseReaders : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly ReaderOptions _options;
    private readonly Stack<QueryConnection> _idle = new(); // under _gate, as all that follows
    private readonly List<QueryConnection> _all = [];
    private readonly Queue<Waiter> _waiting = new();
    private readonly CancellationTokenSource _aborting = new();
    private readonly SemaphoreSlim _long; // those who hold a connection while their client thinks leave half of them to the others
    private CancellationTokenSource _inTheWay = new(); // of the reads that were lent a connection since the last was cancelled
    private TaskCompletionSource? _drained; // set while somebody waits for the last reader
    private int _lent;
    private WalIndexWatch? _seen; // the file as it was when a connection was lent last
    private int _round; // counts the times that snapshots were let go
    private bool _held;
    private bool _disposed;

    private DatabaseReaders(string path, ReaderOptions options)
    {
        _path = path;
        _options = options with { Connections = options.Connections with { KeepsSnapshots = true } };
        _long = new SemaphoreSlim(Math.Max(1, options.MaxConnections / 2));
    }

    /// <summary>Connections will be opened on this file.</summary>
    public static DatabaseReaders Open(string path, ReaderOptions options) => new(path, options);

    /// <summary>Longest time between two pulls of a streamed read.</summary>
    internal TimeSpan MaxPause => _options.MaxPause;

    /// <summary>Reads that wait for a connection.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Lends a connection if one is free, open already, and nobody waits for it. It may come with a snapshot that it has kept.</summary>
    public bool TryRent(out ReaderLease lease)
    {
        lease = default;
        bool hasChanged;
        lock (_gate)
        {
            if (_disposed || _held || _waiting.Count > 0 || !_idle.TryPop(out var connection))
            {
                return false;
            }

            hasChanged = Lend(connection);
            lease = new ReaderLease(this, connection, _inTheWay.Token);
        }

        if (hasChanged)
        {
            lease.Connection.LetGo(); // also of the newest state: it may stand at an older place, since others had all
        }
        else
        {
            lease.Connection.LetGoIfOld(); // before anything is prepared by its schema
        }

        return true;
    }

    /// <summary>Lends a connection, which has kept no snapshot; the caller disposes the lease when its statements are reset and its snapshot is closed.</summary>
    /// <remarks>Who comes here is about to wait for a thread too, and is to hold nothing meanwhile.</remarks>
    /// <exception cref="RequestException">Too many wait (<see cref="ErrorCodes.Overloaded"/>), or the copy is going away (<see cref="ErrorCodes.CopyStale"/>).</exception>
    public async ValueTask<ReaderLease> RentAsync(CancellationToken cancellationToken = default)
    {
        var lease = await TakeAsync(cancellationToken);
        lease.Connection.LetGo();
        return lease;
    }

    private ValueTask<ReaderLease> TakeAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ThrowIfDisposed();
            if (!_held && _waiting.Count == 0 && TryTake() is { } connection)
            {
                return ValueTask.FromResult(new ReaderLease(this, connection, _inTheWay.Token));
            }

            if (_waiting.Count >= _options.MaxWaiting)
            {
                throw Overloaded();
            }

            var waiter = new Waiter();
            _waiting.Enqueue(waiter);
            return new ValueTask<ReaderLease>(WaitAsync(waiter, cancellationToken));
        }
    }

    /// <summary>Waits until one more may hold a connection for long, idle most of the time.</summary>
    internal Task BeginLongAsync(CancellationToken cancellationToken) => _long.WaitAsync(cancellationToken);

    /// <summary>The end of what <see cref="BeginLongAsync"/> began.</summary>
    internal void EndLong() => _long.Release();

    /// <summary>Cancelled when the reads under way are to end, those too whose client takes its time.</summary>
    internal CancellationToken Aborting => _aborting.Token;

    /// <summary>Ends the reads under way at once, each with an error that says try again: the file is about to serve somebody else.</summary>
    public void Abort()
    {
        _aborting.Cancel();
        lock (_gate)
        {
            _round++; // what is interrupted stays so until its connection has ended all that it has begun
            foreach (var connection in Lent())
            {
                connection.Connection.Interrupt();
            }
        }
    }

    /// <summary>Refuses new reads, interrupts those that wait, waits for those under way, and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        Task drained;
        List<Waiter> refused;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            refused = [.. _waiting];
            _waiting.Clear();
            foreach (var connection in Lent())
            {
                connection.Connection.Interrupt(); // a long read must not keep the copy from going away
            }

            drained = WhenDrained();
        }

        foreach (var waiter in refused)
        {
            waiter.TrySetException(GoingAway());
        }

        await drained;
        lock (_gate)
        {
            while (_idle.TryPop(out var connection))
            {
                connection.Dispose();
            }

            _all.Clear();
        }
    }

    internal void Return(QueryConnection connection)
    {
        connection.LetGoIfOld(); // here, where nobody waits for it
        TaskCompletionSource? drained = null;
        List<(Waiter, QueryConnection)>? served = null;
        lock (_gate)
        {
            _lent--;
            connection.IsLent = false;
            if (connection.LentInRound != _round)
            {
                connection.LetGo();
            }

            _idle.Push(connection);
            if (_lent == 0)
            {
                drained = _drained;
                _drained = null;
            }

            if (!_held && !_disposed)
            {
                served = Serve();
            }
        }

        drained?.TrySetResult();
        Hand(served);
    }

    // Under the lock: takes connections for those who wait longest.
    private List<(Waiter, QueryConnection)>? Serve()
    {
        List<(Waiter, QueryConnection)>? served = null;
        while (_waiting.TryPeek(out var waiter))
        {
            if (waiter.Task.IsCompleted)
            {
                _waiting.Dequeue(); // it gave up
            }
            else if (TryTake() is { } connection)
            {
                _waiting.Dequeue();
                (served ??= []).Add((waiter, connection));
            }
            else
            {
                break;
            }
        }

        return served;
    }

    private void Hand(List<(Waiter Waiter, QueryConnection Connection)>? served)
    {
        foreach (var (waiter, connection) in served ?? [])
        {
            if (!waiter.TrySetResult(connection))
            {
                Return(connection); // it gave up just now
            }
        }
    }

    private QueryConnection? TryTake()
    {
        if (!_idle.TryPop(out var connection))
        {
            if (_all.Count >= _options.MaxConnections)
            {
                return null;
            }

            connection = Open();
            _all.Add(connection);
        }

        Lend(connection);
        return connection;
    }

    private QueryConnection Open()
    {
        var connection = QueryConnection.OpenForReading(_path, _options.Connections);
        try
        {
            _seen ??= new WalIndexWatch(connection.Connection); // the first, which is open as long as the pool
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private bool Lend(QueryConnection connection)
    {
        connection.AdoptPolicy();
        connection.Watch.IsInTheWay = false;
        connection.LentInRound = _round;
        connection.IsLent = true;
        _lent++;
        return NoticeChange();
    }

    private async Task<ReaderLease> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((Waiter)state!).TrySetCanceled(token), waiter);
        var connection = await waiter.Task;
        lock (_gate)
        {
            // It may have been told already that it is in the way, between being lent and here.
            return new ReaderLease(this, connection, connection.Watch.IsInTheWay ? new CancellationToken(canceled: true) : _inTheWay.Token);
        }
    }

    // Under the lock.
    private IEnumerable<QueryConnection> Lent() => _all.Where(static connection => connection.IsLent);

    private Task WhenDrained()
    {
        if (_lent == 0)
        {
            return Task.CompletedTask;
        }

        _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _drained.Task;
    }

    private void ThrowIfDisposed()
    {
        if (_disposed)
        {
            throw GoingAway();
        }
    }

    private RequestException Overloaded() =>
        RequestException.Overloaded($"{_options.MaxWaiting} reads wait for this copy already. Nothing was done; try again in a moment.", TimeSpan.FromMilliseconds(100));

    internal static RequestException GoingAway() => new(ErrorCodes.CopyStale, "This copy is being closed or built again. Nothing was done; try again.");

    private sealed class Waiter() : TaskCompletionSource<QueryConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
}
