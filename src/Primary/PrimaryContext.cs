using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>What the primaries of one node work with.</summary>
public sealed record PrimaryContext
{
    private readonly TimeProvider? _leaseTime;
    private ImageBudget? _images; // made from the options at first use

    /// <summary>This node.</summary>
    public required NodeRecord Self { get; init; }

    /// <summary>Hands out epochs.</summary>
    public required IControlPlane Control { get; init; }

    /// <summary>The follower on this node, whose log is the leader's own.</summary>
    public required IOwnFollower OwnFollower { get; init; }

    /// <summary>Measured round trips to other nodes, for the choice of followers; <see langword="null"/> where nobody measures.</summary>
    public Func<NodeRecord, TimeSpan?>? DistanceTo { get; init; }

    /// <summary>Ways to all followers, the own one too.</summary>
    public required IFollowerLinks Followers { get; init; }

    /// <summary>Where logs and snapshots are kept for good; <see langword="null"/>: nowhere.</summary>
    public ColdStorage.ColdStore? Cold { get; init; }

    /// <summary>Followers whose places others should have; without, only those count whose nodes are there with another journal.</summary>
    public LostFollowers? Lost { get; init; }

    /// <summary>Ways to the other nodes, for copies of databases; without, none is fetched.</summary>
    public NodeChannels? Channels { get; init; }

    /// <summary>The node is going away: its primaries give their leaderships up.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>What idle grains left here.</summary>
    public ReleasedLeaderships Released { get; } = new();

    /// <summary>Where the writers' turns run.</summary>
    public required BlockingWorkers Writers { get; init; }

    /// <summary>Where blocking reads run.</summary>
    public required BlockingWorkers Readers { get; init; }

    /// <summary>Whose turn it is to checkpoint while idle; the node's replicas ask the same.</summary>
    public required IdleCheckpoints IdleCheckpoints { get; init; }

    /// <summary>Gives each database its folder.</summary>
    public required Func<Protocol.DatabaseId, string> FolderOf { get; init; }

    /// <summary>Clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Measures leases and silence between leaders and followers: a clock that runs on while the machine sleeps. Default: <see cref="Time"/>.</summary>
    public TimeProvider LeaseTime
    {
        get => _leaseTime ?? Time;
        init => _leaseTime = value;
    }

    /// <summary>For what an operator should know.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>What is measured.</summary>
    public PrimaryMetrics Metrics { get; init; } = PrimaryMetrics.Unobserved;

    /// <summary>Settings.</summary>
    public PrimaryOptions Options { get; init; } = new();

    internal string FileOf(Protocol.DatabaseId database) => Path.Combine(FolderOf(database), "db.sqlite");

    internal ImageBudget Images => LazyInitializer.EnsureInitialized(ref _images, () => new ImageBudget(Options.ImageCacheBytes));
}
