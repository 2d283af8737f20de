using System.Globalization;
using Google.Protobuf;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Single-row inserts and batches, durable by a quorum when they are answered, beside our echo, beside as many processes that only append and sync, and beside peers.</summary>
internal sealed class WritesScenario : Scenario
{
    public override LimitKind Limits => LimitKind.Disk | LimitKind.Disks | LimitKind.Commits | LimitKind.RoundTrip;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var grpc = new GrpcEchoClient(server.Ready.Echo, server.Network);
        var payload = ByteString.CopyFrom(new byte[64]);
        var echo = new Series($"echo 64 B, {options.Callers} callers", options.Callers, _ => grpc.CallAsync(payload));
        await using var peers = await PeerSet.StartAsync(options, server, remarks);
        var databases = new List<WrittenDatabase>();
        try
        {
            foreach (var followers in options.Followers)
            {
                databases.Add(await WrittenDatabase.CreateAsync(server, options, followers, isOnly: options.Followers.Count == 1, cancellationToken));
            }

            var theirs = await CreateAsync(peers, databases[0], options);
            await Series.AlternateAsync(server, options, [.. databases.SelectMany(database => database.Series), echo, .. theirs.Select(static pair => pair.Series)]);
            foreach (var database in databases)
            {
                await database.CheckAsync(cancellationToken);
            }

            foreach (var peer in peers.Peers)
            {
                await peer.CheckAsync();
            }

            Plot(remarks, databases[0], theirs, options);
            return
            [
                .. echo.Report(remarks),
                .. databases.SelectMany(database => database.Report(remarks, echo)),
                .. theirs.SelectMany(static pair => pair.Series.ReportPeer(pair.Ours)),
                .. theirs.Where(pair => pair.Ours == databases[0].Batches).Select(pair => pair.Series.ReportRows(databases[0].RowsName, options.Batch, pair.Ours)),
            ];
        }
        finally
        {
            foreach (var database in databases)
            {
                await database.DisposeAsync();
            }
        }
    }

    private static async Task<List<PeerSeries>> CreateAsync(PeerSet peers, WrittenDatabase ours, BenchOptions options)
    {
        var value = new string('v', options.ValueBytes);
        var all = new List<PeerSeries>();
        foreach (var peer in peers.Peers)
        {
            foreach (var (callers, single) in ours.Singles)
            {
                all.Add(new(await peer.InsertsAsync(single.Name, callers, value), single, callers));
                if (peer.InsertsByTool(single.Name, callers) is { } byTool)
                {
                    all.Add(new(byTool, single, callers));
                }
            }

            if (peer.HasBatches)
            {
                all.Add(new(await peer.BatchesAsync(ours.Batches.Name, options.Callers, value, options.Batch), ours.Batches, options.Callers));
            }
        }

        return all;
    }

    private static void Plot(Remarks remarks, WrittenDatabase ours, List<PeerSeries> theirs, BenchOptions options)
    {
        remarks.Plot(new(
            "throughput", "Durable single-row inserts", PlotKind.Doublings, "sessions", "inserts a second",
            [
                new("ReplicatedSqlite", [.. ours.Singles.Select(static single => single.Series.PointAt(single.Callers))]),
                .. theirs.Where(pair => pair.Ours != ours.Batches).GroupBy(static pair => pair.Series.Peer!)
                    .Select(static peer => new PlotLine(peer.Key, [.. peer.Select(static pair => pair.Series.PointAt(pair.Callers))])),
            ]));
        remarks.Plot(new(
            "latency", string.Create(CultureInfo.InvariantCulture, $"Durable single-row inserts, {options.Callers} sessions"), PlotKind.Percentiles, "percentile", "milliseconds",
            [
                ours.Singles[^1].Series.Latency.PlotLine("ReplicatedSqlite"),
                .. theirs.Where(pair => pair.Ours == ours.Singles[^1].Series && pair.Series.Latency.Count > 0).Select(static pair => pair.Series.Latency.PlotLine(pair.Series.Peer!)),
            ]));
    }

    private sealed record PeerSeries(Series Series, Series Ours, int Callers);
}
