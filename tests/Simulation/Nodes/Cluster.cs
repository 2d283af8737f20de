using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>The nodes of one story, what lies between them, and the all-knowing observer.</summary>
internal sealed class Cluster
{
    private readonly Dictionary<Guid, SimulatedNode> _homes = [];
    private int _streams;

    public Cluster(World world, StoryPlan plan, Plant plant)
    {
        (World, Plan, Plant) = (world, plan, plant);
        Network = new(world, plan.Nodes) { Weather = plan.Weather };
        Network.SlowDown(plan.SlowWays);
        Database = new(NewId());
        Nodes = [.. Enumerable.Range(0, plan.Nodes).Select(index => new SimulatedNode(this, index))];
        Control = new(world, Network, new(0, -1, 0, FollowerSet.Majority(Nodes.Take(plan.Followers).Select(node => node.Disk.Journal)))) { StaleShare = plan.StaleShare };
        foreach (var node in Nodes)
        {
            node.Start();
        }
    }

    public World World { get; }

    public StoryPlan Plan { get; }

    /// <summary>All faults are over.</summary>
    public bool IsHealing { get; set; }

    public Plant Plant { get; }

    public SimulatedNetwork Network { get; }

    public SimulatedControlPlane Control { get; }

    public ImmutableArray<SimulatedNode> Nodes { get; }

    public DatabaseId Database { get; }

    public History History { get; } = new();

    /// <summary>The writes of each entry that was ever built, by its end.</summary>
    public Dictionary<Position, (IReadOnlyList<int> Writes, IReadOnlyList<int> Rows)> Contents { get; } = [];

    /// <summary>Durable bases in cold storage.</summary>
    public Dictionary<Position, PageImage> Bases { get; } = new() { [Position.Start] = new() };

    public Guid NewId()
    {
        var bytes = new byte[16];
        World.Random.NextBytes(bytes);
        return new(bytes);
    }

    public int NextStream() => ++_streams;

    public void NameHome(Guid journal, SimulatedNode node) => _homes[journal] = node;

    /// <summary>Where a journal lives, or lived.</summary>
    public SimulatedNode HomeOf(Guid journal) => _homes[journal];

    /// <summary>Whether two nodes hear each other.</summary>
    public bool CanTalk(SimulatedNode left, SimulatedNode right) =>
        left.Process.IsRunning && right.Process.IsRunning && !Network.IsBlocked(left.Index, right.Index) && !Network.IsBlocked(right.Index, left.Index);
}
