using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica;

/// <summary>What the replicas of one node work with.</summary>
public sealed record ReplicaContext
{
    /// <summary>This node.</summary>
    public required NodeRecord Self { get; init; }

    /// <summary>Says where the primary is.</summary>
    public required PrimaryForwarder Forwarder { get; init; }

    /// <summary>Knows each database's profile.</summary>
    public required IControlPlane Control { get; init; }

    /// <summary>Ways to the other nodes.</summary>
    public required NodeChannels Channels { get; init; }

    /// <summary>Where blocking reads and checkpoints run.</summary>
    public required BlockingWorkers Workers { get; init; }

    /// <summary>Whose turn it is to checkpoint while idle; the node's primaries ask the same.</summary>
    public required IdleCheckpoints IdleCheckpoints { get; init; }

    /// <summary>Gives each database its folder.</summary>
    public required Func<Protocol.DatabaseId, string> FolderOf { get; init; }

    /// <summary>
    /// Builds a database in a file from cold storage, for a copy that has nothing: says which state it is. Nothing where that is not worth while: then the primary sends a snapshot.
    /// <see langword="null"/>: there is no cold storage.
    /// </summary>
    public Func<Protocol.DatabaseId, string, CancellationToken, Task<(Protocol.Position Position, LogState State)?>>? BootAsync { get; init; }

    /// <summary>Clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>For what an operator should know.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>What is measured.</summary>
    public ReplicaMetrics Metrics { get; init; } = ReplicaMetrics.Unobserved;

    /// <summary>Which copies have failed lately.</summary>
    internal CopyFaults Faults { get; } = new();

    /// <summary>Settings.</summary>
    public ReplicaOptions Options { get; init; } = new();
}
