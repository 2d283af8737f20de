using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Node;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Three nodes, each with a view of the catalogue that is as old as a test wants it.</summary>
internal sealed class LateCluster : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<NodeHost> _nodes = [];
    private readonly ILoggerFactory _logging;
    private EmbeddedControlPlane? _control;

    private LateCluster() => _logging = LoggerFactory.Create(logging => logging.AddProvider(Log));

    public KeptLog Log { get; } = new();

    public List<LateControlPlane> Views { get; } = [];

    public List<ReplicatedSqliteClient> Clients { get; } = [];

    public List<GrpcChannel> Channels { get; } = [];

    /// <summary>The nodes, of which some may have been stopped.</summary>
    public IReadOnlyList<NodeHost> Nodes => _nodes;

    public static async Task<LateCluster> StartAsync(Func<NodeOptions, NodeOptions>? configure = null)
    {
        var cluster = new LateCluster();
        cluster._control = EmbeddedControlPlane.Open(Path.Combine(cluster._folder.Path, "control.sqlite"), new Random(1));
        var random = new Random(2);
        foreach (var region in (string[])["enam", "weur", "apac"])
        {
            var view = new LateControlPlane(cluster._control);
            var options = new NodeOptions { Region = region, DataFolder = Path.Combine(cluster._folder.Path, region) };
            var node = await NodeHost.StartAsync(configure?.Invoke(options) ?? options, view, TimeProvider.System, random, cluster._logging);
            cluster.Views.Add(view);
            cluster._nodes.Add(node);
            cluster.Clients.Add(new ReplicatedSqliteClient(node.Record.GrpcAddress.Authority));
            cluster.Channels.Add(new GrpcChannel(node.Record.GrpcAddress));
        }

        return cluster;
    }

    public void CatchUp()
    {
        foreach (var view in Views)
        {
            view.CatchUp();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in Clients)
        {
            await client.DisposeAsync();
        }

        foreach (var channel in Channels)
        {
            await channel.DisposeAsync();
        }

        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        await _control!.DisposeAsync();
        _logging.Dispose();
        _folder.Dispose();
    }
}
