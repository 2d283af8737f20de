using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>One snapshot on one read connection, read by any number of requests, one after the other. Between them it holds no thread.</summary>
/// <remarks>A snapshot keeps the WAL from being restarted: whoever holds one bounds the time.</remarks>
public sealed class SnapshotReads<TMark> : IAsyncDisposable
{
    private readonly HeldSnapshot _snapshot;
    private readonly ReaderLease _lease;
    private readonly DatabaseReaders _readers;
    private readonly WorkerShare _workers;
    private readonly KnownTexts _known;
    private bool _isDisposed;

    internal SnapshotReads(
        HeldSnapshot snapshot, TMark mark, double queueMs, ReaderLease lease, DatabaseReaders readers, WorkerShare workers, KnownTexts known)
    {
        _snapshot = snapshot;
        Mark = mark;
        QueueMs = queueMs;
        _lease = lease;
        _readers = readers;
        _workers = workers;
        _known = known;
    }

    /// <summary>The copy's position at or after what is read.</summary>
    public TMark Mark { get; }

    /// <summary>Cancelled when the snapshot has to go because it keeps the WAL from being restarted: a request in it is stopped, and whoever holds it disposes it.</summary>
    public CancellationToken InTheWay => _lease.InTheWay;

    /// <summary>Wait for a connection.</summary>
    public double QueueMs { get; }

    /// <summary>Runs a request in the snapshot and gives its results part by part. One at a time.</summary>
    /// <exception cref="RequestException">A statement failed, or one of them writes: then none has run.</exception>
    public async IAsyncEnumerable<ResultPart> ExecuteAsync(SqlRequest request)
    {
        var read = await _workers.RunShortAsync(() => PreparedRead.TryPrepare(_lease.Connection, request, _known, out var prepared) ? prepared : null) ??
            throw new RequestException(
                ErrorCodes.InvalidRequest, "The transaction was begun with read_only, but a statement writes. Nothing was done; begin one without read_only.");
        try
        {
            while (await _workers.RunShortAsync(() => read.MoveNext() ? read.Current : null) is { } part)
            {
                yield return part;
            }
        }
        finally
        {
            await EndAsync(read.Dispose);
        }
    }

    /// <summary>Lets the snapshot go and gives the connection back. No request runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            try
            {
                await EndAsync(_snapshot.Dispose);
            }
            finally
            {
                _lease.Dispose();
                _readers.EndLong();
            }
        }
    }

    // What resets the connection is done in any case, and it is short: here, when the workers take nothing.
    private async Task EndAsync(Action end)
    {
        try
        {
            await _workers.RunShortAsync(end);
        }
        catch (Exception e) when (e is RequestException or ObjectDisposedException)
        {
            end();
        }
    }
}
