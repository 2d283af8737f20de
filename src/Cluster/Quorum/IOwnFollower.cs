using System.Collections.Immutable;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a leader needs of the follower on its own node. Safe for use by any thread; may read the disk.</summary>
public interface IOwnFollower
{
    /// <summary>Names it.</summary>
    Guid Journal { get; }

    /// <summary>The durable log of a database here, as it is at each call.</summary>
    ILogView LogOf(DatabaseId database);

    /// <summary>Reads durable entries right behind a position, in order; at least one if there is one, about so many bytes.</summary>
    /// <exception cref="JournalException">The log begins behind that position, does not hold it, or cannot be read now.</exception>
    IReadOnlyList<Entry> Read(DatabaseId database, Position after, long maxBytes);

    /// <summary>Empties the log; it goes on behind a position, of which the state is in a copy on this node. What was promised stays.</summary>
    /// <exception cref="JournalException">It could not be written.</exception>
    Task BeginAtAsync(DatabaseId database, Position position);

    /// <summary>The follower sets in that log, oldest first, and what was promised; as the journal has it.</summary>
    (ImmutableArray<KnownSets> Sets, Promise Promised) StateOf(DatabaseId database);
}
