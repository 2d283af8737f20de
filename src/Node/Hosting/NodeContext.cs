using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>What the parts of one node share.</summary>
internal sealed record NodeContext
{
    /// <summary>This node.</summary>
    public required NodeRecord Self { get; init; }

    /// <summary>Nodes, catalogue and leadership.</summary>
    public required IControlPlane Control { get; init; }

    /// <summary>Where its files are.</summary>
    public required NodeFolder Folder { get; init; }

    /// <summary>Its journal, and the logs in it.</summary>
    public required FollowerNode Follower { get; init; }

    /// <summary>Ways to the other nodes.</summary>
    public required NodeChannels Channels { get; init; }

    /// <summary>How far they are, and which of them answer.</summary>
    public required NodeReach Reach { get; init; }

    /// <summary>Where the writers' turns run.</summary>
    public required BlockingWorkers Writers { get; init; }

    /// <summary>Where blocking reads run.</summary>
    public required BlockingWorkers Readers { get; init; }

    /// <summary>Clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>For what an operator should know.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Cancelled when the node goes away: nothing is begun any more.</summary>
    public required CancellationToken Stopping { get; init; }
}
