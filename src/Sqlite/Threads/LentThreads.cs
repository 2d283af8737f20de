namespace ReplicatedSqlite.Sqlite;

/// <summary>How many threads of the thread pool may do work that blocks, at once: most of it is short, and a hop to a thread of its own would take longer. Safe for use by any thread.</summary>
/// <param name="most">What turns out to be long holds one of them up, so there are few.</param>
public sealed class LentThreads(int most)
{
    private int _taken; // by Interlocked

    /// <summary>Half of what the machine has, so that others are always left; none where there is one processor.</summary>
    public static LentThreads ForThisMachine() => new(Environment.ProcessorCount / 2);

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
