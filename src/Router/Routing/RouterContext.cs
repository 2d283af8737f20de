using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>What the services of one node work with.</summary>
public sealed record RouterContext
{
    /// <summary>This node.</summary>
    public required NodeRecord Self { get; init; }

    /// <summary>Nodes and catalogue.</summary>
    public required IControlPlane Control { get; init; }

    /// <summary>The primaries that are active here.</summary>
    public required GrainDirectory<IDatabaseCopy> Primaries { get; init; }

    /// <summary>The replicas that are active here.</summary>
    public required GrainDirectory<IDatabaseCopy> Replicas { get; init; }

    /// <summary>Ways to the other nodes.</summary>
    public required NodeChannels Channels { get; init; }

    /// <summary>The way to a database's primary.</summary>
    public required PrimaryForwarder Forwarder { get; init; }

    /// <summary>How far the other nodes are, and which of them answer.</summary>
    public required NodeReach Reach { get; init; }

    /// <summary>Ends the database's log for ever: its followers take nothing any more, from any leader.</summary>
    public required Func<Protocol.DatabaseId, CancellationToken, Task> BuryAsync { get; init; }

    /// <summary>Lets a node of another region lead, from this node, which leads now.</summary>
    public required Func<DatabaseRecord, string, CancellationToken, Task> MoveAsync { get; init; }

    /// <summary>Ends the leadership here; the next request begins another, with the followers that the catalogue asks for.</summary>
    public required Func<Protocol.DatabaseId, Task> LeadAnewAsync { get; init; }

    /// <summary>Takes a database's files and log off this node. The catalogue has forgotten it already.</summary>
    public required Func<Protocol.DatabaseId, Task> RemoveLocalAsync { get; init; }

    /// <summary>Where files that are sent or received lie meanwhile; emptied at each start.</summary>
    public required string TransferFolder { get; init; }

    /// <summary>Where files are read and made.</summary>
    public required BlockingWorkers Workers { get; init; }

    /// <summary>Clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Makes ids.</summary>
    public required Random Random { get; init; }

    /// <summary>The product's version.</summary>
    public required string Version { get; init; }

    /// <summary>The version of the SQLite in this process.</summary>
    public required string SqliteVersion { get; init; }

    /// <summary>Before all services.</summary>
    public required AccessGuard Access { get; init; }

    /// <summary>For what an operator should know.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>What is measured.</summary>
    public RouterMetrics Metrics { get; init; } = RouterMetrics.Unobserved;

    /// <summary>Limits.</summary>
    public RouterOptions Options { get; init; } = new();
}
