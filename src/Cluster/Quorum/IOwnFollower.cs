using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a leader needs of the follower on its own node. Safe for use by any thread; may read the disk.</summary>
public interface IOwnFollower
{
    /// <summary>Names it.</summary>
    Guid Journal { get; }

    /// <summary>The durable log of a database here, as it is at each call.</summary>
    ILogView LogOf(DatabaseId database);

    /// <summary>The newest follower sets in that log, and what was promised; from memory or the journal.</summary>
    (KnownSets? Sets, Promise Promised) StateOf(DatabaseId database);
}
