namespace ReplicatedSqlite.Simulation;

/// <summary>One run of a node's process. What was begun in it dies with it; while it is paused, whatever comes is kept and runs when it goes on.</summary>
internal sealed class SimulatedProcess(World world)
{
    private readonly Queue<Action> _kept = new();

    public bool IsAlive { get; private set; } = true;

    public bool IsPaused { get; private set; }

    public bool IsRunning => IsAlive && !IsPaused;

    /// <summary>Runs something in the process, now or when it goes on; never once it is dead.</summary>
    public void Run(Action action)
    {
        if (!IsAlive)
        {
            return;
        }

        if (IsPaused || _kept.Count > 0)
        {
            _kept.Enqueue(action);
            return;
        }

        action();
    }

    public void After(long delay, Action action) => world.After(delay, () => Run(action));

    /// <summary>Raised when the process dies and its system lives on to say so to whoever has a connection to it.</summary>
    public event Action? Died;

    /// <param name="isHeard">The system resets its connections; after a power cut nobody does.</param>
    public void Kill(bool isHeard)
    {
        IsAlive = false;
        _kept.Clear();
        if (isHeard)
        {
            Died?.Invoke();
        }

        Died = null;
    }

    public void Pause() => IsPaused = true;

    public void Resume()
    {
        IsPaused = false;
        Drain();
    }

    // One after the other, and each may be what pauses or kills the process again.
    private void Drain()
    {
        while (IsRunning && _kept.TryDequeue(out var action))
        {
            action();
        }
    }
}
