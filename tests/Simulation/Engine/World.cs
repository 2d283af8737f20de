namespace ReplicatedSqlite.Simulation;

/// <summary>Time and chance of one story. Events run one after the other, in order of their moment, then of their making: the same seed gives the same story.</summary>
internal sealed class World(int seed)
{
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private long _order;

    /// <summary>Microseconds of true time, which nobody in the story can read.</summary>
    public long Now { get; private set; }

    public Random Random { get; } = new(seed);

    /// <summary>Events so far.</summary>
    public long Events { get; private set; }

    /// <summary>A hash over everything that was noted; two runs of a story agree in it.</summary>
    public ulong Trace { get; private set; } = 14695981039346656037;

    /// <summary>Where <see cref="Note"/> writes what happens; for reading one story.</summary>
    public Action<string>? Log { get; set; }

    public void After(long delay, Action action) => _events.Enqueue(action, (Now + Math.Max(0, delay), ++_order));

    public void At(long moment, Action action) => After(moment - Now, action);

    /// <summary>Runs the story on to a moment.</summary>
    public void RunUntil(long moment)
    {
        while (_events.TryPeek(out _, out var next) && next.At <= moment)
        {
            Step();
        }

        Now = moment;
    }

    /// <summary>Runs the story on until something holds.</summary>
    /// <returns><see langword="false"/>: not by then.</returns>
    public bool RunUntil(Func<bool> holds, long moment)
    {
        while (!holds())
        {
            if (!_events.TryPeek(out _, out var next) || next.At > moment)
            {
                return false;
            }

            Step();
        }

        return true;
    }

    /// <summary>Makes something part of the trace.</summary>
    public void Note(ulong what)
    {
        Trace = (Trace ^ what) * 1099511628211;
        Trace = (Trace ^ (ulong)Now) * 1099511628211;
    }

    public bool Chance(double probability) => Random.NextDouble() < probability;

    /// <summary>From one bound to the other, both included.</summary>
    public long Between(long least, long greatest) => least >= greatest ? least : Random.NextInt64(least, greatest + 1);

    public T Pick<T>(IReadOnlyList<T> of) => of[Random.Next(of.Count)];

    private void Step()
    {
        _events.TryDequeue(out var action, out var moment);
        Now = moment.At;
        Events++;
        action!();
    }
}
