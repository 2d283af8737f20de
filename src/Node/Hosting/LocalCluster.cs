using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Node;

/// <summary>Several regions in one process: each a node of its own with ports, folder and services, talking over real loopback gRPC.</summary>
public sealed class LocalCluster : IAsyncDisposable
{
    private readonly EmbeddedControlPlane _control;
    private readonly List<NodeHost> _nodes; // in the order of the regions; one that was stopped stays in its place
    private readonly Func<int, CancellationToken, Task<NodeHost>> _startNode;

    private LocalCluster(EmbeddedControlPlane control, List<NodeHost> nodes, Func<int, CancellationToken, Task<NodeHost>> startNode)
    {
        _control = control;
        _nodes = nodes;
        _startNode = startNode;
    }

    /// <summary>By what its nodes know each other: whoever shows it may call what they call among themselves.</summary>
    public string NodeKey => _control.NodeKey;

    /// <summary>What the nodes share.</summary>
    public IControlPlane Control => _control;

    /// <summary>In the order of the regions.</summary>
    public IReadOnlyList<NodeRecord> Nodes => [.. _nodes.Select(node => node.Record)];

    /// <summary>The durability follower of one node.</summary>
    internal Follower.FollowerNode Follower(int index) => _nodes[index].Follower;

    /// <summary>Stops one node; the others go on.</summary>
    public ValueTask StopNodeAsync(int index) => _nodes[index].DisposeAsync();

    /// <summary>Starts a stopped node again, on the ports that its options name.</summary>
    public async Task StartNodeAsync(int index, CancellationToken cancellationToken = default) => _nodes[index] = await _startNode(index, cancellationToken);

    /// <summary>Starts all nodes; on return they answer.</summary>
    /// <exception cref="InvalidOperationException">A folder, a port or an option is wrong; the text says what to do.</exception>
    public static async Task<LocalCluster> StartAsync(
        LocalClusterOptions options, TimeProvider time, Random random, ILoggerFactory logging, CancellationToken cancellationToken = default)
    {
        Check(options);
        Directory.CreateDirectory(options.DataFolder);
        var control = EmbeddedControlPlane.Open(Path.Combine(options.DataFolder, "control.sqlite"), random);
        var cluster = new LocalCluster(
            control, [], (i, cancellation) => NodeHost.StartAsync(options.Configure(NodeOf(options, i)), control, time, random, logging, cancellation));
        try
        {
            for (var i = 0; i < options.Regions.Count; i++)
            {
                cluster._nodes.Add(await cluster._startNode(i, cancellationToken));
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops cleanly.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        await _control.DisposeAsync();
    }

    private static NodeOptions NodeOf(LocalClusterOptions options, int index)
    {
        var region = options.Regions[index];
        var node = new NodeOptions
        {
            Region = region,
            DataFolder = Path.Combine(options.DataFolder, region),
            GrpcPort = options.GrpcPort == 0 ? 0 : options.GrpcPort + index,
            HttpPort = options.HttpPort == 0 ? 0 : options.HttpPort + index,
            HandOverPatience = TimeSpan.Zero, // all of them stop together
            ColdStorage = new ColdStorageOptions { Folder = Path.Combine(options.DataFolder, "cold") },
        };
        return node with { Replica = node.Replica with { Delay = options.Delays.GetValueOrDefault(region) } };
    }

    private static void Check(LocalClusterOptions options)
    {
        if (options.Regions.Count == 0 || options.Regions.Any(region => !IsRegion(region)) || options.Regions.Distinct().Count() != options.Regions.Count)
        {
            throw new InvalidOperationException(
                $"The regions '{string.Join(',', options.Regions)}' cannot be used: different names of lowercase letters, digits and '-' are wanted, e.g. enam,weur,apac.");
        }

        if (options.Delays.Keys.FirstOrDefault(region => !options.Regions.Contains(region)) is { } unknown)
        {
            throw new InvalidOperationException($"A delay is set for region '{unknown}', which is not one of {string.Join(", ", options.Regions)}.");
        }
    }

    private static bool IsRegion(string region) =>
        region.Length is > 0 and <= 32 && region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
