using System.Diagnostics.Metrics;
using System.Globalization;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Replica;
using ReplicatedSqlite.Router;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>Everything that one node measures, and its text for <c>/metrics</c>.</summary>
internal sealed class NodeMetrics : IAsyncDisposable
{
    /// <summary>Most series of one instrument. Databases are labels, and there may be a hundred thousand of them.</summary>
    public const int MaxSeries = 300;

    private readonly MetricsCollector _collector;
    private readonly Meter _meter;
    private readonly Counter<long> _takeovers;

    public NodeMetrics()
    {
        _collector = new MetricsCollector(Meters, MaxSeries);
        Primary = new PrimaryMetrics(Meters);
        Replica = new ReplicaMetrics(Meters);
        Router = new RouterMetrics(Meters);
        _meter = Meters.Create("ReplicatedSqlite.Node");
        _takeovers = _meter.CreateCounter<long>("replicatedsqlite.takeovers", "{takeover}", "Tries of this node to take a database over, by result.");
        ProcessMetrics.Add(Meters);
    }

    /// <summary>Makes this node's meters.</summary>
    public NodeMeters Meters { get; } = new();

    public PrimaryMetrics Primary { get; }

    public ReplicaMetrics Replica { get; }

    public RouterMetrics Router { get; }

    /// <summary>This node has tried to take a database over.</summary>
    /// <param name="result"><c>begun</c>, <c>failed</c> or <c>given up</c>.</param>
    public void CountTakeover(string result) => _takeovers.Add(1, new KeyValuePair<string, object?>("result", result));

    /// <summary>Shows how many requests there are.</summary>
    public void Observe(RunningQueries queries) =>
        _meter.CreateObservableGauge("replicatedsqlite.requests_in_flight", () => queries.InFlight, "{request}", "Requests under way at this node, waiting ones included.");

    /// <summary>Shows what is looked at when it is asked for, rather than counted when it happens.</summary>
    public void Observe(NodeRecord self, IControlPlane control, Follower.FollowerNode follower, GrainDirectory<IDatabaseCopy> primaries, GrainDirectory<IDatabaseCopy> replicas)
    {
        _meter.CreateObservableGauge(
            "replicatedsqlite.node_info",
            () => new Measurement<int>(1, new("version", NodeHost.Version), new("sqlite", SqliteVersionGate.Version), new("node", self.Id), new("region", self.Region)),
            description: "Always 1; the labels say what this is.");
        _meter.CreateObservableGauge("replicatedsqlite.journal_open", () => follower.Trouble is null ? 1 : 0, description: "1 while this node keeps logs durable.");
        _meter.CreateObservableGauge("replicatedsqlite.followed_databases", () => follower.ActiveCount, "{database}", "Databases whose leaders speak to the follower here.");
        _meter.CreateObservableGauge("replicatedsqlite.nodes_alive", () => control.Nodes.Count, "{node}", "Nodes that the control plane counts as alive, as far as this node knows.");
        _meter.CreateObservableGauge("replicatedsqlite.control_plane_reachable", () => control.Trouble is null ? 1 : 0, description: "0 while nothing can be elected, created or changed.");
        _meter.CreateObservableGauge(
            "replicatedsqlite.copies_active",
            () => new[] { (Role: "primary", primaries.Active.Count), (Role: "replica", replicas.Active.Count) }
                .Select(static copies => new Measurement<int>(copies.Count, new KeyValuePair<string, object?>("role", copies.Role))),
            "{copy}",
            "Copies in memory here.");
        new CopyMetrics(control, primaries, replicas).Add(_meter);
    }

    /// <summary>All of it in Prometheus's text format.</summary>
    public async Task AnswerAsync(HttpContext http)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture); // in memory first: a slow reader must not hold the collection's lock
        _collector.WriteTo(text);
        http.Response.ContentType = PrometheusText.ContentType;
        await http.Response.WriteAsync(text.ToString(), http.RequestAborted);
    }

    public ValueTask DisposeAsync()
    {
        _collector.Dispose();
        Meters.Dispose();
        return ValueTask.CompletedTask;
    }
}
