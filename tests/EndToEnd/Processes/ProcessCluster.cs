using System.Text.Json.Nodes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Nodes as processes of their own, coordinated by an etcd of their own, on loopback.</summary>
internal sealed class ProcessCluster : IAsyncDisposable
{
    private static readonly string[] _regions = ["enam", "weur", "apac", "wnam", "eeur", "oc"];

    private readonly TemporaryFolder _folder = new();
    private readonly List<ProcessNode> _nodes = [];

    private ProcessCluster(EtcdServer etcd) => Etcd = etcd;

    public EtcdServer Etcd { get; }

    public IReadOnlyList<ProcessNode> Nodes => _nodes;

    /// <summary>Tests on processes need an etcd.</summary>
    public static void SkipIfMissing() => Assert.SkipUnless(EtcdServer.IsThere, EtcdServer.Missing);

    /// <summary>Starts etcd and so many nodes, each in a region of its own unless told otherwise, and waits until each is ready and knows all.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="configure">Changes the settings of a node before it starts.</param>
    /// <param name="client">Of the nodes' clients.</param>
    public static async Task<ProcessCluster> StartAsync(int nodes = 3, Action<int, JsonObject>? configure = null, ReplicatedSqliteClientOptions? client = null)
    {
        var cluster = await PrepareAsync(nodes, configure, client);
        try
        {
            await Task.WhenAll(cluster._nodes.Select(node => node.StartAsync()));
            await cluster.KnowEachOtherAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts etcd alone; the nodes have their settings and wait for <see cref="ProcessNode.StartAsync"/>.</summary>
    /// <inheritdoc cref="StartAsync"/>
    public static async Task<ProcessCluster> PrepareAsync(int nodes = 3, Action<int, JsonObject>? configure = null, ReplicatedSqliteClientOptions? client = null)
    {
        var cluster = new ProcessCluster(await EtcdServer.StartAsync());
        var ports = EtcdServer.FreePorts(nodes * 2);
        for (var i = 0; i < nodes; i++)
        {
            var settings = new JsonObject
            {
                ["region"] = _regions[i % _regions.Length],
                ["control"] = "etcd",
                ["etcd"] = new JsonObject { ["endpoints"] = new JsonArray(cluster.Etcd.Endpoint.GetLeftPart(UriPartial.Authority)) },
            };
            configure?.Invoke(i, settings);
            cluster._nodes.Add(new ProcessNode(i, cluster._folder.Path, settings, ports[i * 2], ports[(i * 2) + 1]) { ClientOptions = client ?? new() });
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

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        await Etcd.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>What all the nodes logged.</summary>
    public override string ToString() => string.Join("\n\n", _nodes.Select(node => $"== {node.Id} {node.Region}\n{node.Log}"));
}
