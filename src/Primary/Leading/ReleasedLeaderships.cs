using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Leaderships whose idle grains were let go on this node: they go on when they are needed again. A restart forgets them, and then another epoch is taken.</summary>
/// <remarks>Safe for use by any thread. About 100 bytes a database.</remarks>
public sealed class ReleasedLeaderships
{
    private readonly ConcurrentDictionary<DatabaseId, (Promise Promise, Position End)> _released = new();

    /// <summary>Keeps one whose log is confirmed to its end.</summary>
    internal void Keep(DatabaseId database, Promise promise, Position end) => _released[database] = (promise, end);

    /// <summary>Takes it back, once: whoever takes it goes on with it, or it is lost.</summary>
    internal (Promise Promise, Position End)? Take(DatabaseId database) => _released.TryRemove(database, out var released) ? released : null;
}
