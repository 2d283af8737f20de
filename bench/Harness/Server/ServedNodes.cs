using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Node;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The nodes of this process: a cluster of their own, or some of a cluster that etcd coordinates.</summary>
internal sealed class ServedNodes : IAsyncDisposable
{
    private const int FirstPort = 7101; // in a region of its own all ports are free

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly IReadOnlyList<IAsyncDisposable> _parts;

    private LocalCluster? _cluster;

    private ServedNodes(IReadOnlyList<IAsyncDisposable> parts, IReadOnlyList<ServerNode> nodes) => (_parts, Nodes) = (parts, nodes);

    public static ServedNodes None { get; } = new([], []);

    /// <summary>In the order of their regions; each as clients of this machine or region reach it.</summary>
    public IReadOnlyList<ServerNode> Nodes { get; }

    public static ServedNodes Of(LocalCluster cluster) =>
        new([cluster], [.. cluster.Nodes.Select(static node => new ServerNode(node.Region, node.GrpcAddress, node.Id))]) { _cluster = cluster };

    /// <summary>Stops a node of a cluster of this process's own, or starts it again on its ports.</summary>
    public async Task SwitchAsync(int node, bool on)
    {
        var cluster = _cluster ?? throw new InvalidOperationException("Nodes that etcd coordinates are stopped with their process.");
        if (on)
        {
            await cluster.StartNodeAsync(node);
        }
        else
        {
            await cluster.StopNodeAsync(node);
        }
    }

    /// <summary>Starts nodes that etcd coordinates.</summary>
    public static async Task<ServedNodes> StartAsync(BenchServerOptions options, Func<NodeOptions, NodeOptions> configure, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var starts = options.Regions.Select((_, i) => StartAsync(options, i, configure, ended.Token)).ToList();
        try
        {
            var hosts = await Task.WhenAll(starts);
            return new ServedNodes(
                [.. hosts],
                [.. hosts.Select(static host => new ServerNode(host.Record.Region, new UriBuilder(host.Record.GrpcAddress) { Host = IPAddress.Loopback.ToString() }.Uri, host.Record.Id))]);
        }
        catch
        {
            await ended.CancelAsync();
            foreach (var start in starts.Where(static start => start.IsCompletedSuccessfully))
            {
                await (await start).DisposeAsync();
            }

            throw;
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_parts.Select(static part => part.DisposeAsync().AsTask()));

    private static Task<NodeHost> StartAsync(BenchServerOptions options, int index, Func<NodeOptions, NodeOptions> configure, CancellationToken cancellationToken)
    {
        var logging = BenchLogging.Create();
        var folder = Directory.CreateDirectory(Path.Combine(options.Data!, string.Create(CultureInfo.InvariantCulture, $"n{index}"))).FullName;
        var etcd = new EtcdOptions { Endpoints = [options.Etcd!], MemoryPath = Path.Combine(folder, "etcd.sqlite"), AnswerPatience = _patience, CallPatience = _patience * 2 }; // many begin at once
        return NodeHost.StartAsync(
            configure(OptionsOf(options, index, folder)),
            async cancellation => await EtcdControlPlane.ConnectAsync(etcd, TimeProvider.System, new Random(), logging.CreateLogger("ReplicatedSqlite.Etcd"), cancellation),
            TimeProvider.System,
            new Random(),
            logging,
            cancellationToken);
    }

    private static NodeOptions OptionsOf(BenchServerOptions options, int index, string folder)
    {
        var node = new NodeOptions { Region = options.Regions[index], Zone = $"z{index}", DataFolder = folder, HandOverPatience = TimeSpan.Zero, Roles = options.ReplicasOnly ? NodeRoles.Router | NodeRoles.Replica : NodeRoles.All };
        return options.Advertised is not { } address
            ? node
            : node with
            {
                // Clients of the region come over its loopback, and so without a token; the nodes show each other the cluster's key.
                Address = IPAddress.Any,
                AllowPlaintextBeyondLoopback = true,
                GrpcPort = FirstPort + (index * 2),
                HttpPort = FirstPort + (index * 2) + 1,
                AdvertisedGrpc = new Uri($"http://{address}:{FirstPort + (index * 2)}"),
                AdvertisedHttp = new Uri($"http://{address}:{FirstPort + (index * 2) + 1}"),
            };
    }
}
