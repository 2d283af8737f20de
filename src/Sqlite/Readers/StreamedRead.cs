using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A read that is pulled part by part. Between two pulls it holds a connection and a snapshot, but no thread.</summary>
/// <remarks>
/// A snapshot keeps the WAL from being restarted. So one that nobody pulls from for <see cref="ReaderOptions.MaxPause"/> is ended: a client that stops reading
/// must not make the file grow without bound.
/// </remarks>
public sealed class StreamedRead<TMark> : IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1); // a pull, or the end
    private readonly PreparedRead? _read;
    private readonly ReaderLease _lease;
    private readonly WorkerShare _workers;
    private readonly TimeSpan _maxPause;
    private readonly ITimer? _pauseTimer;
    private readonly CancellationTokenRegistration _aborting;
    private readonly CancellationTokenRegistration _inTheWay;
    private bool _ended; // in a turn

    internal StreamedRead(
        ReadOutcomeKind kind, TMark mark, PreparedRead? read, RequestException? error, double queueMs, ReaderLease lease, WorkerShare workers, TimeSpan maxPause, TimeProvider time)
    {
        Kind = kind;
        Mark = mark;
        Error = error;
        QueueMs = queueMs;
        _read = read;
        _lease = lease;
        _workers = workers;
        _maxPause = maxPause;
        _pauseTimer = read is null ? null : time.CreateTimer(_ => _ = EndAsync(), null, maxPause, Timeout.InfiniteTimeSpan);
        _aborting = read is null ? default : lease.Aborting.UnsafeRegister(static state => _ = ((StreamedRead<TMark>)state!).EndAsync(), this);
        _inTheWay = read is null ? default : lease.InTheWay.UnsafeRegister(static state => _ = ((StreamedRead<TMark>)state!).EndAsync(), this);
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
    /// <exception cref="RequestException">A statement failed, or nobody pulled for too long; nothing more can be read.</exception>
    public async ValueTask<EncodedPart?> NextAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (_ended)
            {
                throw _lease.Aborting.IsCancellationRequested ? DatabaseReaders.GoingAway() : _lease.InTheWay.IsCancellationRequested ? SqlErrors.InTheWay(-1) : new RequestException(
                    ErrorCodes.StatementTimeout, $"Nothing was read from this stream for {_maxPause.TotalSeconds} s, so its snapshot was let go. Start the read again.");
            }

            _pauseTimer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            var part = await _workers.RunAsync(_read!.NextEncoded);
            _pauseTimer.Change(_maxPause, Timeout.InfiniteTimeSpan);
            return part;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends the snapshot and gives the connection back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_pauseTimer is not null)
        {
            await _pauseTimer.DisposeAsync();
            await _aborting.DisposeAsync();
            await _inTheWay.DisposeAsync();
        }

        await EndAsync();
    }

    private async Task EndAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (_ended || _read is null)
            {
                return;
            }

            _ended = true;
            try
            {
                await _workers.RunAsync(_read.Dispose);
            }
            catch (Exception e) when (e is RequestException or ObjectDisposedException)
            {
                _read.Dispose(); // here, then: the connection is not given back with its snapshot
            }
            finally
            {
                _lease.Dispose();
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
