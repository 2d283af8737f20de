using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>The time that an interactive transaction has: in all, and between two steps. Safe for use by any thread.</summary>
/// <remarks>Time that passes while the client is waited for counts as idle, whether for its next step or for its reading what it was sent.</remarks>
public sealed class TransactionLease : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended;
    private readonly TimeSpan _idle;
    private readonly TimeSpan _total;
    private readonly ITimer _idleTimer;
    private readonly ITimer _totalTimer;
    private readonly CancellationTokenRegistration _stopping;
    private CancellationTokenRegistration _inTheWay;
    private RequestException? _reason; // set once, by Interlocked

    /// <param name="begin">What the caller asks for.</param>
    /// <param name="options">Defaults and limits.</param>
    /// <param name="time">Clock.</param>
    /// <param name="stopping">The copy is going away.</param>
    /// <param name="cancellationToken">The call.</param>
    /// <exception cref="RequestException">A time is not positive.</exception>
    public TransactionLease(
        TransactRequest.Types.Begin begin, TransactionOptions options, TimeProvider time, CancellationToken stopping, CancellationToken cancellationToken)
    {
        _idle = Bounded(begin.IdleTimeout, options.Idle, options.MaxIdle, "idle_timeout");
        _total = Bounded(begin.TotalTimeout, options.Total, options.MaxTotal, "total_timeout");
        _ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _idleTimer = time.CreateTimer(_ => End(Expired($"no step came for {_idle.TotalSeconds:0.###} s")), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _totalTimer = time.CreateTimer(
            _ => End(Expired($"it lasted longer than {_total.TotalSeconds:0.###} s")), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _stopping = stopping.UnsafeRegister(
            static state => ((TransactionLease)state!).End(
                new RequestException(ErrorCodes.NoPrimary, "This copy is going away: the transaction was rolled back. Nothing was done; begin again.")),
            this);
    }

    /// <summary>Cancelled when the lease or the call ends.</summary>
    public CancellationToken Token => _ended.Token;

    /// <summary>Why the lease has ended; <see langword="null"/> while it has not, also when the client has gone.</summary>
    public RequestException? Reason => Volatile.Read(ref _reason);

    /// <summary>The transaction begins to hold something: its time runs from here.</summary>
    public void Start()
    {
        _totalTimer.Change(_total, Timeout.InfiniteTimeSpan);
        WaitForClient();
    }

    /// <summary>The same, for a transaction that only reads: it ends, too, when its snapshot has to go.</summary>
    /// <param name="inTheWay">Cancelled when the snapshot keeps the WAL from being restarted.</param>
    public void Start(CancellationToken inTheWay)
    {
        Start();
        _inTheWay = inTheWay.UnsafeRegister(
            static state => ((TransactionLease)state!).End(Expired("so much was written meanwhile that the WAL had to be restarted, which no older snapshot may outlast")), this);
    }

    /// <summary>The next moves are the client's.</summary>
    public void WaitForClient() => _idleTimer.Change(_idle, Timeout.InfiniteTimeSpan);

    /// <summary>A step is carried out.</summary>
    public void Work() => _idleTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Stops the clocks.</summary>
    public async ValueTask DisposeAsync()
    {
        // Each waits for its callback, if it runs: nobody cancels a source that is gone.
        await _idleTimer.DisposeAsync();
        await _totalTimer.DisposeAsync();
        await _stopping.DisposeAsync();
        await _inTheWay.DisposeAsync();
        _ended.Dispose();
    }

    private void End(RequestException reason)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is null)
        {
            _ended.Cancel();
        }
    }

    private static RequestException Expired(string why) => new(
        ErrorCodes.TransactionExpired, $"The transaction was rolled back, since {why}. Nothing was done; begin again, with longer timeouts if it needs them.");

    private static TimeSpan Bounded(Duration? asked, TimeSpan usual, TimeSpan most, string name)
    {
        if (asked is null)
        {
            return usual;
        }

        var time = Durations.Read(asked, name);
        if (time <= TimeSpan.Zero)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"{name} is {time.TotalSeconds} s; more than nothing is wanted.");
        }

        return time < most ? time : most;
    }
}
