using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A read that is pulled part by part. Between two pulls it holds a connection and a snapshot, but no thread.</summary>
public sealed class StreamedRead<TMark> : IAsyncDisposable
{
    private readonly PreparedRead? _read;
    private readonly ReaderLease _lease;
    private readonly BlockingWorkers _workers;
    private bool _disposed;

    internal StreamedRead(
        ReadOutcomeKind kind, TMark mark, PreparedRead? read, RequestException? error, double queueMs, ReaderLease lease, BlockingWorkers workers)
    {
        Kind = kind;
        Mark = mark;
        Error = error;
        QueueMs = queueMs;
        _read = read;
        _lease = lease;
        _workers = workers;
    }

    /// <summary>Rows to pull, an error, or not a read at all.</summary>
    public ReadOutcomeKind Kind { get; }

    /// <summary>The copy's position at or after what is read.</summary>
    public TMark Mark { get; }

    /// <summary>For <see cref="ReadOutcomeKind.Failed"/>.</summary>
    public RequestException? Error { get; }

    /// <summary>Wait for a connection and a thread.</summary>
    public double QueueMs { get; }

    /// <summary>The next part; <see langword="null"/> at the end.</summary>
    /// <exception cref="RequestException">A statement failed; nothing more can be read.</exception>
    public async ValueTask<ResultPart?> NextAsync() => await _workers.RunAsync(() => _read!.MoveNext() ? _read.Current : null);

    /// <summary>Ends the snapshot and gives the connection back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed || _read is null)
        {
            return;
        }

        _disposed = true;
        try
        {
            await _workers.RunAsync(_read.Dispose);
        }
        finally
        {
            _lease.Dispose();
        }
    }
}
