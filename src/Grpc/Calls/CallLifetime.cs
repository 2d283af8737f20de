namespace ReplicatedSqlite.Grpc;

/// <summary>Ends a call once: by its deadline, by its caller, or because it was disposed. The first of them is the reason that is reported.</summary>
internal sealed class CallLifetime : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _callerRegistration;
    private readonly ITimer? _deadline;
    private int _reason;

    public CallLifetime(TimeSpan? timeout, TimeProvider timeProvider, CancellationToken callerToken)
    {
        CallerToken = callerToken;
        _callerRegistration = callerToken.UnsafeRegister(static state => ((CallLifetime)state!).End(EndReason.Caller), this);
        if (timeout is not { } limit) return;
        if (limit <= TimeSpan.Zero) End(EndReason.Deadline);
        else if (limit.TotalMilliseconds < uint.MaxValue - 1) // beyond that (49 days) no timer can be set, and nobody waits for it
            _deadline = timeProvider.CreateTimer(static state => ((CallLifetime)state!).End(EndReason.Deadline), this, limit, System.Threading.Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Token => _source.Token;

    public CancellationToken CallerToken { get; }

    public EndReason Reason => (EndReason)Volatile.Read(ref _reason);

    public void End(EndReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, 0) != 0) return;
        _source.Cancel();
    }

    // The source itself is not disposed: a timer that fires at this moment may still cancel it, and it holds nothing unmanaged.
    public void Dispose()
    {
        _deadline?.Dispose();
        _callerRegistration.Dispose();
    }
}
