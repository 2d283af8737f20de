namespace ReplicatedSqlite.Bench.Harness;

/// <summary>From the primary's confirmation to visibility on each replica, while single rows are written at a fixed rate.</summary>
/// <remarks>The replicas record it themselves, on the clock that all processes of the machine share; every build does.</remarks>
internal sealed class ConfirmLagScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";

    public override LimitKind Limits => LimitKind.Disk | LimitKind.RoundTrip;

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.CheckRowsAsync(0, cancellationToken); // all replicas are there

        var value = new string('v', options.ValueBytes);
        var session = table.Primary.WithSession();
        long answered = 0;
        async Task WriteAsync()
        {
            await session.ExecuteAsync(Sql, [value], cancellationToken: cancellationToken);
            Interlocked.Increment(ref answered);
        }

        await OpenLoop.RunAsync(server, options.Rate, options.Warmup, WriteAsync);
        await server.ResetLagAsync();
        var writes = await OpenLoop.RunAsync(server, options.Rate, options.Duration, WriteAsync);
        var lags = await server.LagAsync();
        await table.CheckRowsAsync(answered, cancellationToken);
        CheckRegions(lags, options);
        remarks.Plot(new(
            "lag", "Confirm lag while writes go on", PlotKind.Time, "seconds", "milliseconds",
            [.. lags.SelectMany(static lag => new[] { LineOf(lag, "p50", 1), LineOf(lag, "p99", 2) })]));
        remarks.Plot(new("insert", $"Inserts at {options.Rate}/s, from their intended start", PlotKind.Percentiles, "percentile", "milliseconds", [writes.Latency.PlotLine("insert")]));
        return
        [
            .. lags.Select(lag => new BenchResult($"confirm lag {lag.Region}", "ms", lag.Count, lag.P50Ms, lag.P99Ms, lag.MeanMs, null, null) { Against = LimitKind.RoundTrip }),
            writes.Latency.Report($"insert at {options.Rate}/s, from its intended start", writes.Calls) with { Against = LimitKind.Disk },
            new("insert: rate reached", "1/s", writes.Calls, writes.Rate, null, writes.Rate, options.Rate, writes.Rate / options.Rate),
            new("insert: server CPU, all nodes", "us/call", writes.Calls, writes.ServerCpu, null, writes.ServerCpu, null, null),
            new("insert: client CPU", "us/call", writes.Calls, writes.ClientCpu, null, writes.ClientCpu, null, null),
        ];
    }

    private static PlotLine LineOf(LagSummary lag, string name, int column) => new($"{lag.Region} {name}", [.. lag.Timeline.Select(second => (double[])[second[0], second[column]])]);

    private static void CheckRegions(IReadOnlyList<LagSummary> lags, BenchOptions options)
    {
        var silent = options.Regions.Skip(1).Except(lags.Where(lag => lag.Count > 0).Select(lag => lag.Region)).ToList();
        if (silent.Count > 0)
        {
            throw new BenchException($"The replicas in {string.Join(", ", silent)} recorded no confirm lag.");
        }
    }
}
