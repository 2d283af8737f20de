using System.Text.Json.Nodes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Nodes as processes of their own, coordinated by an etcd of their own, on loopback or over simulated regions.</summary>
internal sealed class ProcessCluster : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<ProcessNode> _nodes = [];

    private ProcessCluster(EtcdServer etcd, ProcessNetwork network) => (Etcd, Network) = (etcd, network);

    public EtcdServer Etcd { get; }

    /// <summary>Where its processes run.</summary>
    public ProcessNetwork Network { get; }

    /// <summary>Holds the nodes' folders and configurations.</summary>
    public string Folder => _folder.Path;

    public IReadOnlyList<ProcessNode> Nodes => _nodes;

    /// <summary>Tests on processes need an etcd.</summary>
    public static void SkipIfMissing() => Assert.SkipUnless(EtcdServer.IsThere, EtcdServer.Missing);

    /// <summary>Starts etcd and so many nodes, each in a region of its own unless told otherwise, and waits until each is ready and knows all.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="configure">Changes the settings of a node before it starts.</param>
    /// <param name="client">Of the nodes' clients.</param>
    /// <param name="network">Where they run; loopback unless given.</param>
    public static async Task<ProcessCluster> StartAsync(int nodes = 3, Action<int, JsonObject>? configure = null, ReplicatedSqliteClientOptions? client = null, ProcessNetwork? network = null)
    {
        var cluster = await PrepareAsync(nodes, configure, client, network);
        try
        {
            await cluster.StartAllAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts all nodes and waits until each is ready and knows all.</summary>
    public async Task StartAllAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.StartAsync()));
        await AuthorizeAsync();
        await KnowEachOtherAsync();
    }

    /// <summary>Starts etcd alone; the nodes have their settings and wait for <see cref="ProcessNode.StartAsync"/>.</summary>
    /// <inheritdoc cref="StartAsync"/>
    public static async Task<ProcessCluster> PrepareAsync(int nodes = 3, Action<int, JsonObject>? configure = null, ReplicatedSqliteClientOptions? client = null, ProcessNetwork? network = null)
    {
        network ??= ProcessNetwork.Loopback;
        var cluster = new ProcessCluster(await EtcdServer.StartAtAsync(network.EtcdAddress, network.EtcdLauncher), network);
        var ports = FreePorts.Take(nodes * 2);
        for (var i = 0; i < nodes; i++)
        {
            var settings = new JsonObject
            {
                ["region"] = network.RegionOf(i),
                ["control"] = "etcd",
                ["etcd"] = new JsonObject { ["endpoints"] = new JsonArray(cluster.Etcd.Endpoint.GetLeftPart(UriPartial.Authority)) },
            };
            if (network.CanCut)
            {
                // On all addresses: the first token is made over loopback.
                settings["listen"] = new JsonObject { ["address"] = "0.0.0.0", ["grpc_port"] = ports[i * 2], ["http_port"] = ports[(i * 2) + 1] };
                settings["advertise"] = new JsonObject { ["grpc"] = $"http://{network.AddressOf(i)}:{ports[i * 2]}", ["http"] = $"http://{network.AddressOf(i)}:{ports[(i * 2) + 1]}" };
                settings["allow_plaintext_beyond_loopback"] = true;
            }

            configure?.Invoke(i, settings);
            cluster._nodes.Add(new ProcessNode(i, cluster._folder.Path, network.AddressOf(i), settings, ports[i * 2], ports[(i * 2) + 1]) { ClientOptions = client ?? new(), Launcher = network.LauncherOf(i) });
        }

        return cluster;
    }

    /// <summary>Waits until each node that runs knows all that run.</summary>
    public Task KnowEachOtherAsync()
    {
        var running = _nodes.Where(node => node.Process.IsAlive).ToList();
        return Task.WhenAll(running.Select(node => Eventually.TrueAsync(
            async () => (await node.Client.Admin.GetTopologyAsync()).Nodes.Count == running.Count, $"{node.Id} knows {running.Count} nodes")));
    }

    /// <summary>A database through one node, outside any session.</summary>
    public ReplicatedDatabase Database(int node, string name) => _nodes[node].Client.Database(name);

    /// <summary>The number of the node that leads a database, as another node sees it.</summary>
    public async Task<int> LeaderOfAsync(string database, int askedAt)
    {
        var leader = -1;
        await Eventually.TrueAsync(
            async () =>
            {
                var topology = await _nodes[askedAt].Client.Admin.GetTopologyAsync(database);
                leader = topology.Copies.Where(copy => copy.Role == Role.Primary).Select(copy => _nodes.FindIndex(node => node.Id == copy.NodeId)).DefaultIfEmpty(-1).Single();
                return leader >= 0;
            },
            $"somebody leads {database}");
        return leader;
    }

    /// <summary>Each node that runs shows all these rows of the table of <see cref="KeyedWriters"/> once, at a bookmark of now.</summary>
    public async Task HasEachOnceAsync(string database, IEnumerable<string> keys)
    {
        var wanted = keys.ToList();
        var first = _nodes.First(node => node.Process.IsAlive);
        var bookmark = await first.Client.Admin.GetBookmarkAsync(database);
        foreach (var node in _nodes.Where(node => node.Process.IsAlive))
        {
            var rows = await node.Client.Database(database).WithSession(bookmark)
                .QueryAsync("SELECT key, count(*) FROM t GROUP BY key", null, new() { WaitTimeout = Eventually.Patience, OnWaitTimeout = OnWaitTimeout.Fail });
            var counts = rows.Rows.ToDictionary(row => row.GetString(0), row => row.GetInt64(1));
            Assert.All(counts, pair => Assert.True(pair.Value == 1, $"{pair.Key} is at {node.Id} {pair.Value} times"));
            Assert.All(wanted, key => Assert.True(counts.ContainsKey(key), $"the answered write {key} is not at {node.Id}\n{this}"));
        }
    }

    /// <summary>Kills the nodes; nothing of theirs is in use any more.</summary>
    public async Task DisposeNodesAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DisposeNodesAsync();
        await Etcd.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Beyond loopback clients need a token; the first one is made on a node's own machine.</summary>
    public async Task AuthorizeAsync()
    {
        if (!Network.CanCut)
        {
            return;
        }

        var words = Network.LauncherOf(0);
        var (code, token, errors) = await RsqlProcess.RunAsync(
            words[0], [.. words.Skip(1), "dotnet", "exec", RsqlProcess.Program, "-s", $"127.0.0.1:{_nodes[0].GrpcAddress.Port}", "token", "create", "tests", "--right", "admin"]);
        Assert.True(code == 0, errors);
        _nodes.ForEach(node => node.ClientOptions = node.ClientOptions with { Token = token.Trim(), AllowPlaintextToken = true });
    }

    /// <summary>What all the nodes logged.</summary>
    public override string ToString() => string.Join("\n\n", _nodes.Select(node => $"== {node.Id} {node.Region}\n{node.Log}"));
}
