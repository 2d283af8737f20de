namespace ReplicatedSqlite;

/// <summary>
/// Finds out that a node hangs: while calls wait and nothing has been answered for a moment, it makes a call that does nothing, and when that is not answered either,
/// the calls that may be made elsewhere are told to go. A long query does not look like that, as the node still answers others.
/// </summary>
/// <remarks>One timer a node, and only while calls are made; a call itself pays for two interlocked additions.</remarks>
internal sealed class HungWatch : IDisposable
{
    private const int IdleTicksUntilRest = 20;

    // Together at most half a second for a node that is near, so that a read has the other half at another one.
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _silence = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan _leastPatience = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _longestPatience = TimeSpan.FromSeconds(1);

    private readonly NodeEndpoint _node;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _closing = new();
    private CancellationTokenSource _hung = new(); // replaced after each time it was cancelled
    private int _waiting;
    private long _lastAnswer;
    private int _isTicking;
    private int _isProbing;
    private int _idleTicks; // the timer's own

    public HungWatch(NodeEndpoint node, TimeProvider time)
    {
        _node = node;
        _time = time;
        _timer = time.CreateTimer(static state => ((HungWatch)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public CancellationToken Hung => Volatile.Read(ref _hung).Token;

    public void Enter()
    {
        if (Interlocked.Increment(ref _waiting) == 1) Volatile.Write(ref _lastAnswer, _time.GetTimestamp());
        Start();
    }

    public void Leave(bool answered)
    {
        Interlocked.Decrement(ref _waiting);
        if (answered) Volatile.Write(ref _lastAnswer, _time.GetTimestamp());
    }

    public void Dispose()
    {
        _timer.Dispose();
        _closing.Cancel();
    }

    // A node that is far takes longer to say that it is well.
    private TimeSpan Patience => TimeSpan.FromTicks(Math.Clamp(4 * Math.Min(_node.RoundTripTicks, _longestPatience.Ticks), _leastPatience.Ticks, _longestPatience.Ticks));

    private void Start()
    {
        if (Volatile.Read(ref _isTicking) == 0 && Interlocked.Exchange(ref _isTicking, 1) == 0) _timer.Change(_tick, _tick);
    }

    private void Tick()
    {
        if (Volatile.Read(ref _waiting) == 0)
        {
            if (++_idleTicks < IdleTicksUntilRest) return;
            _idleTicks = 0;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Interlocked.Exchange(ref _isTicking, 0);
            if (Volatile.Read(ref _waiting) > 0) Start(); // it entered just before, and took the timer for running
            return;
        }

        _idleTicks = 0;
        if (_time.GetElapsedTime(Volatile.Read(ref _lastAnswer)) < _silence || Interlocked.Exchange(ref _isProbing, 1) != 0) return;
        _ = ProbeAsync();
    }

    private async Task ProbeAsync()
    {
        try
        {
            if (await _node.ProbeAsync(Patience, _closing.Token).ConfigureAwait(false))
            {
                Volatile.Write(ref _lastAnswer, _time.GetTimestamp());
                return;
            }

            var hung = Interlocked.Exchange(ref _hung, new CancellationTokenSource());
            await hung.CancelAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The client is closing.
        }
        finally
        {
            Volatile.Write(ref _isProbing, 0);
        }
    }
}
