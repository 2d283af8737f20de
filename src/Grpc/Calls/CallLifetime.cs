namespace ReplicatedSqlite.Grpc;

/// <summary>Ends a call once: by its deadline, by its caller, or because it was disposed. The first of them is the reason that is reported.</summary>
internal sealed class CallLifetime : IDisposable
{
    private static readonly Spares<CallLifetime> _spares = new(capacity: 32);

    private readonly CancellationTokenSource _source = new();
    private CancellationTokenRegistration _callerRegistration;
    private ITimer? _deadline; // where time is not the system's; else the source has a timer of its own, and keeps it
    private int _reason;

    public CallLifetime(TimeSpan? timeout, TimeProvider timeProvider, CancellationToken callerToken) => Begin(timeout, timeProvider, callerToken);

    public CancellationToken Token => _source.Token;

    public CancellationToken CallerToken { get; private set; }

    /// <summary>Nothing but the source's own timer cancels it without a reason.</summary>
    public EndReason Reason => (EndReason)Volatile.Read(ref _reason) is var reason && reason == EndReason.None && _source.IsCancellationRequested ? EndReason.Deadline : reason;

    /// <summary>One that was used before, if there is any; <see cref="Release"/> it.</summary>
    public static CallLifetime Rent(TimeSpan timeout, TimeProvider timeProvider, CancellationToken callerToken)
    {
        if (timeProvider != TimeProvider.System || _spares.TryTake() is not { } spare) return new CallLifetime(timeout, timeProvider, callerToken);
        spare.Begin(timeout, timeProvider, callerToken);
        return spare;
    }

    public void End(EndReason reason)
    {
        if (_source.IsCancellationRequested) reason = EndReason.Deadline; // the timer came first, unless another reason is there already
        if (Interlocked.CompareExchange(ref _reason, (int)reason, 0) != 0) return;
        _source.Cancel();
    }

    // The source itself is not disposed: a timer that fires at this moment may still cancel it, and it holds nothing unmanaged.
    public void Dispose()
    {
        if (_deadline is null) _source.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);
        else _deadline.Dispose();
        _callerRegistration.Dispose(); // waits for a callback that is running
    }

    /// <summary>Disposes it after a call that went to its end, and keeps it for another.</summary>
    public void Release()
    {
        Dispose();
        if (_deadline is not null || _reason != 0 || !_source.TryReset()) return; // a timer that has fired is no more to be trusted
        CallerToken = default;
        _spares.Keep(this);
    }

    private void Begin(TimeSpan? timeout, TimeProvider timeProvider, CancellationToken callerToken)
    {
        CallerToken = callerToken;
        _callerRegistration = callerToken.UnsafeRegister(static state => ((CallLifetime)state!).End(EndReason.Caller), this);
        if (timeout is not { } limit) return;
        if (limit <= TimeSpan.Zero) End(EndReason.Deadline);
        else if (limit.TotalMilliseconds >= uint.MaxValue - 1) return; // no timer can be set beyond that (49 days), and nobody waits for it
        else if (timeProvider == TimeProvider.System) _source.CancelAfter(limit);
        else _deadline = timeProvider.CreateTimer(static state => ((CallLifetime)state!).End(EndReason.Deadline), this, limit, System.Threading.Timeout.InfiniteTimeSpan);
    }
}
