using System.Globalization;
using Google.Protobuf;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Point reads at a replica, each beside our echo and beside peers: what do SQL and the copy add to a call?</summary>
internal sealed class ReadsScenario : Scenario
{
    private const string Sql = "SELECT v FROM t WHERE id = ?";

    public override LimitKind Limits => LimitKind.RoundTrip;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        var random = new Random(options.Seed);
        var values = Enumerable.Range(1, options.DatabaseRows).Select(i => string.Create(CultureInfo.InvariantCulture, $"value {i:D8} {random.NextInt64():x16}")).ToList();
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.FillAsync(values, cancellationToken);
        await table.CheckRowsAsync(options.DatabaseRows, cancellationToken); // from here on the replica needs no bookmark

        var node = server.Ready.Nodes[1];
        await using var replica = new GrpcChannel(node.Grpc, server.NetworkOf(node).Channel);
        await using var grpc = new GrpcEchoClient(server.Ready.Echo, server.Network);
        await using var peers = await PeerSet.StartAsync(options, server, remarks);
        var keys = Enumerable.Range(0, options.Concurrency.Max()).Select(_ => new Random(random.Next())).ToArray(); // one a caller
        var payload = ByteString.CopyFrom(new byte[64]);
        var theirIds = new List<IReadOnlyList<long>>();
        foreach (var peer in peers.Peers)
        {
            theirIds.Add(await peer.FillAsync(values.Count, i => values[i]));
            await peer.CheckAsync();
        }

        var all = new List<(int Callers, Series Echo, Series Ours, List<Series> Peers)>();
        foreach (var callers in options.Concurrency)
        {
            var who = callers == 1 ? "1 caller" : $"{callers} callers";
            var theirs = new List<Series>();
            foreach (var (peer, ids) in peers.Peers.Zip(theirIds))
            {
                var connections = await peer.ConnectAsync(callers);
                theirs.Add(new Series($"point reads, {who}", callers, caller => ReadAsync(connections[caller], peer.Name, keys[caller], ids, values)) { Peer = peer.Name });
            }

            all.Add((
                callers,
                new Series($"echo 64 B, {who}", callers, _ => grpc.CallAsync(payload)),
                Series.Create($"point reads, {who}", options, callers, caller => ReadAsync(replica, keys[caller], values)),
                theirs));
        }

        await Series.AlternateAsync(server, options, [.. all.SelectMany(static entry => new[] { entry.Echo, entry.Ours }.Concat(entry.Peers))]);
        remarks.Plot(new(
            "throughput", "Point reads at a replica", PlotKind.Doublings, "callers", "reads a second",
            [
                new("ReplicatedSqlite", [.. all.Select(static entry => entry.Ours.PointAt(entry.Callers))]),
                .. peers.Peers.Select((peer, i) => new PlotLine(peer.Name, [.. all.Select(entry => entry.Peers[i].PointAt(entry.Callers))])),
                new("our echo: the limit", [.. all.Select(static entry => entry.Echo.PointAt(entry.Callers))]),
            ]));
        remarks.Plot(new(
            "latency", $"Point reads at a replica, {options.Callers} callers", PlotKind.Percentiles, "percentile", "milliseconds",
            [all[^1].Ours.Latency.PlotLine("ReplicatedSqlite"), .. all[^1].Peers.Select(static series => series.Latency.PlotLine(series.Peer!)), all[^1].Echo.Latency.PlotLine("our echo: the limit")]));
        return [.. all.SelectMany(entry => entry.Echo.Report(remarks).Concat(entry.Ours.Report(remarks, entry.Echo)).Concat(entry.Peers.SelectMany(series => series.ReportPeer(entry.Ours))))];
    }

    private static async Task ReadAsync(GrpcChannel replica, Random keys, List<string> values)
    {
        var id = keys.Next(1, values.Count + 1);
        var response = await replica.CallAsync(QueryMethods.Execute, new ExecuteRequest
        {
            Database = BenchTable.Database,
            Read = new ReadOptions { Session = Session.FirstUnconstrained },
            Statements = { new Statement { Sql = Sql, Positional = { new Value { Integer = id } } } },
        });
        var rows = response.Results[0].Rows;
        if (rows.RowCount != 1 || rows.Columns[0].Texts[0] != values[id - 1] || response.Served.Primary)
        {
            throw new BenchException($"The read of id {id} gave {rows}, served by {response.Served.By}; '{values[id - 1]}' of a replica was wanted.");
        }
    }

    private static async Task ReadAsync(PeerConnection connection, string peer, Random keys, IReadOnlyList<long> ids, List<string> values)
    {
        var i = keys.Next(ids.Count);
        var found = await connection.ReadAsync(ids[i]);
        if (found != values[i])
        {
            throw new BenchException($"The read of id {ids[i]} at {peer} gave '{found}'; '{values[i]}' was wanted.");
        }
    }
}
