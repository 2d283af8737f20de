namespace ReplicatedSqlite.Sqlite;

/// <summary>How many threads of the thread pool may do work that blocks, at once: most of it is short, and a hop to a thread of its own would take longer. Safe for use by any thread.</summary>
/// <param name="most">What turns out to be long holds one of them up, so there are few.</param>
public sealed class LentThreads(int most)
{
    private int _taken; // by Interlocked

    /// <summary>Half of what the machine has; none where there is one processor. The thread pool keeps as many threads more, so that lent ones are not missed when what they do is long.</summary>
    public static LentThreads ForThisMachine()
    {
        var most = Environment.ProcessorCount / 2;
        ThreadPool.GetMinThreads(out var threads, out var ports);
        ThreadPool.SetMinThreads(threads + most, ports);
        return new(most);
    }

    internal bool TryTake()
    {
        if (Interlocked.Increment(ref _taken) <= most)
        {
            return true;
        }

        Interlocked.Decrement(ref _taken);
        return false;
    }

    internal void Return() => Interlocked.Decrement(ref _taken);
}
