using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>Counts the queries in flight and refuses what is too much early, while a refusal is still cheap. Safe for use by any thread.</summary>
internal sealed class Admission(int limit)
{
    private int _inFlight; // by Interlocked

    /// <summary>How many there are.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Lets a query in until <see cref="Leave"/>.</summary>
    /// <exception cref="RequestException">There are too many (<see cref="ErrorCodes.Overloaded"/>).</exception>
    public void Enter()
    {
        if (Interlocked.Increment(ref _inFlight) <= limit)
        {
            return;
        }

        Interlocked.Decrement(ref _inFlight);
        throw RequestException.Overloaded($"This node has {limit} queries in flight. Nothing was done; try again in a moment.", TimeSpan.FromMilliseconds(100));
    }

    /// <summary>A query has ended.</summary>
    public void Leave() => Interlocked.Decrement(ref _inFlight);
}
