using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>The shell around <see cref="WaitCore{TToken}"/>: parks tasks, and sets one timer for all of them. Safe for use by any thread.</summary>
internal sealed class BookmarkWaiters : IDisposable
{
    private readonly Lock _gate = new();
    private readonly WaitCore<Waiter> _core = new(EpochTable.Empty); // under _gate, but for its view
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long _timerDue = long.MaxValue; // under _gate; in timestamps

    public BookmarkWaiters(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(_ => OnTime(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _core.Count;
            }
        }
    }

    /// <summary>How a wait would end now; <see langword="null"/> if it would have to wait.</summary>
    public WaitResult? Judge(Bookmark target) => _core.View.Judge(target);

    /// <summary>Waits until readers here can see a bookmark, or the time is over. Holds nothing but its place.</summary>
    public ValueTask<WaitResult> WaitAsync(Bookmark target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var waiter = new Waiter();
        lock (_gate)
        {
            var deadline = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
            if (_core.Wait(target, deadline, waiter) is { } result)
            {
                return ValueTask.FromResult(result);
            }

            SetTimer();
        }

        return new ValueTask<WaitResult>(ParkAsync(waiter, cancellationToken));
    }

    /// <summary>Readers see more.</summary>
    public void Advance(Position visible) => Change((core, ended) => core.Advance(visible, ended));

    /// <summary>A later epoch is confirmed.</summary>
    public void Grow(EpochTable epochs) => Change((core, ended) => core.Grow(epochs, ended));

    /// <summary>The copy shows nothing for now.</summary>
    public void Suspend()
    {
        lock (_gate)
        {
            _core.Suspend();
        }
    }

    /// <summary>Nothing more arrives here: every wait ends, and what is visible may still be read.</summary>
    public void Stop() => Change((core, ended) => core.Stop(ended));

    /// <summary>The copy goes away: every wait ends.</summary>
    public void Dispose()
    {
        Change((core, ended) => core.Close(ended));
        _timer.Dispose();
    }

    private async Task<WaitResult> ParkAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (owner, parked) = ((BookmarkWaiters, Waiter))state!;
                bool cancelled;
                lock (owner._gate)
                {
                    cancelled = owner._core.Cancel(parked);
                }

                if (cancelled)
                {
                    parked.TrySetCanceled(token);
                }
            },
            (this, waiter));
        return await waiter.Task;
    }

    private void OnTime() => Change((core, ended) =>
    {
        _timerDue = long.MaxValue;
        core.Pass(_time.GetTimestamp(), ended);
    });

    private void Change(Action<WaitCore<Waiter>, List<WaitAction<Waiter>>> change)
    {
        var ended = new List<WaitAction<Waiter>>();
        lock (_gate)
        {
            change(_core, ended);
            SetTimer();
        }

        foreach (var (waiter, result) in ended)
        {
            waiter.TrySetResult(result);
        }
    }

    // Under the lock.
    private void SetTimer()
    {
        if (_core.NextDeadline is not { } due || due >= _timerDue)
        {
            return; // a timer that fires too early looks again
        }

        _timerDue = due;
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), due);
        _timer.Change(wait > TimeSpan.Zero ? wait + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private sealed class Waiter() : TaskCompletionSource<WaitResult>(TaskCreationOptions.RunContinuationsAsynchronously);
}
