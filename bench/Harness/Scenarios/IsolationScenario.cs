using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Point reads of one database at a fixed rate, alone and beside somebody who treats another database of the same node badly.</summary>
internal sealed class IsolationScenario : Scenario
{
    private const string Noisy = "noisy";
    private const string Endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n";
    private const string Million = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 10000000) SELECT i, 'row ' || i FROM n";
    private const string Large = "SELECT zeroblob(16000000)";
    private const int Rows = 1000;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.FillAsync([.. Enumerable.Repeat("value", Rows)], cancellationToken);
        await table.CheckRowsAsync(Rows, cancellationToken);
        await using var neighbour = new GrpcChannel(server.Ready.Nodes[1].Grpc, server.NetworkOf(server.Ready.Nodes[1]).Channel with { MaxMessageBytes = 32 << 20 });
        await using var admin = server.ClientOf(server.Ready.Nodes[0]);
        await admin.Admin.CreateDatabaseAsync(Noisy, server.Ready.Nodes[0].Region, cancellationToken);
        (string Name, Func<CancellationToken, Task>? Noise)[] neighbours =
        [
            ("alone", null),
            ("an endless query", quiet => ExecuteAsync(neighbour, Endless, quiet)),
            ("a client that stopped reading", quiet => StreamAsync(neighbour, Million, reads: false, quiet)),
            ("10 million rows being read", quiet => StreamAsync(neighbour, Million, reads: true, quiet)),
            ("values of 16 MB being read", quiet => StreamAsync(neighbour, Large, reads: true, quiet)),
        ];
        var replica = table.Replica(1);
        var latencies = neighbours.ToDictionary(entry => entry.Name, _ => new List<LatencyHistogram>());
        await MeasureAsync(server, options.Rate, options.Warmup, replica, null, cancellationToken);
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var (name, makeNoise) in round % 2 == 0 ? neighbours : neighbours.Reverse())
            {
                latencies[name].Add(await MeasureAsync(server, options.Rate, options.Duration / options.Rounds, replica, makeNoise, cancellationToken));
            }
        }

        return [.. neighbours.Select(entry => Report(entry.Name, latencies[entry.Name], latencies["alone"]))];
    }

    // The ratio is that of the 99th percentiles, round by round.
    private static BenchResult Report(string name, List<LatencyHistogram> rounds, List<LatencyHistogram> alone)
    {
        var all = new LatencyHistogram();
        rounds.ForEach(all.Add);
        var limit = alone.Select(round => round.Percentile(99)).Median() / 1e6;
        var ratio = rounds.Zip(alone, (own, quiet) => (double)own.Percentile(99) / quiet.Percentile(99)).Median();
        return all.Report($"point reads beside: {name}", all.Count) with { Limit = limit, Ratio = ratio };
    }

    private static async Task<LatencyHistogram> MeasureAsync(
        ServerProcess server, int rate, TimeSpan duration, ReplicatedDatabase replica, Func<CancellationToken, Task>? makeNoise, CancellationToken cancellationToken)
    {
        using var quiet = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var noise = Task.Run(async () =>
        {
            while (makeNoise is not null && !quiet.IsCancellationRequested)
            {
                await makeNoise(quiet.Token);
            }
        }, CancellationToken.None);
        var measured = await OpenLoop.RunAsync(server, rate, duration, async () =>
        {
            var value = await replica.WithSession(Session.FirstUnconstrained).QueryScalarAsync<string>("SELECT v FROM t WHERE id = 7", cancellationToken: cancellationToken);
            if (value != "value")
            {
                throw new BenchException($"A read beside a bad neighbour gave '{value}'.");
            }
        });
        await quiet.CancelAsync();
        await noise;
        return measured.Latency;
    }

    private static async Task ExecuteAsync(GrpcChannel channel, string sql, CancellationToken quiet)
    {
        try
        {
            var request = new ExecuteRequest { Database = Noisy, Statements = { new Statement { Sql = sql } }, Read = new ReadOptions { Session = Session.FirstUnconstrained } };
            await channel.CallAsync(QueryMethods.Execute, request, null, quiet);
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException && quiet.IsCancellationRequested)
        {
            // It was told to end.
        }
    }

    private static async Task StreamAsync(GrpcChannel channel, string sql, bool reads, CancellationToken quiet)
    {
        var request = new StreamRequest { Database = Noisy, Statements = { new Statement { Sql = sql } }, Read = new ReadOptions { Session = Session.FirstUnconstrained } };
        try
        {
            await using var stream = channel.OpenServerStream(QueryMethods.EncodedStream, request, null, quiet);
            await using var parts = stream.GetAsyncEnumerator(quiet);
            while (await parts.MoveNextAsync())
            {
                if (!reads)
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, quiet);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException && quiet.IsCancellationRequested)
        {
            // It was told to end.
        }
    }
}
