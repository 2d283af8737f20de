namespace ReplicatedSqlite.Bench.Harness;

/// <summary>From the primary's confirmation to visibility on each replica, while single rows are written at a fixed rate.</summary>
/// <remarks>The replicas record it themselves, on the clock that all processes of the machine share; every build does.</remarks>
internal sealed class ConfirmLagScenario : Scenario
{
    private const string Sql = "INSERT INTO t (v) VALUES (?)";
    private static readonly string _value = new('v', 100);

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(
        ServerProcess server, BenchOptions options, Noise noise, CancellationToken cancellationToken)
    {
        await using var table = new BenchTable(server);
        await table.CreateAsync(cancellationToken: cancellationToken);
        await table.CheckRowsAsync(0, cancellationToken); // all replicas are there

        using var bare = new BareEchoClient(server.Ready.BareEcho);
        var payload = new byte[64];
        var session = table.Primary.WithSession();
        long answered = 0;
        async Task WriteAsync()
        {
            await session.ExecuteAsync(Sql, [_value], cancellationToken: cancellationToken);
            Interlocked.Increment(ref answered);
        }

        await OpenLoop.RunAsync(server, options.Rate, options.Warmup, WriteAsync);
        await ClosedLoop.RunAsync(server, 1, options.DiskLimit, _ => bare.CallAsync(payload)); // warm, too
        var trips = new List<LoadResult> { await ClosedLoop.RunAsync(server, 1, options.DiskLimit, _ => bare.CallAsync(payload)) };
        var disk = new List<LoadResult> { DiskLimit.Measure(server.Folder, options.DiskLimit) };
        await server.ResetLagAsync();
        var writes = await OpenLoop.RunAsync(server, options.Rate, options.Duration, WriteAsync);
        var lags = await server.LagAsync();
        disk.Add(DiskLimit.Measure(server.Folder, options.DiskLimit));
        trips.Add(await ClosedLoop.RunAsync(server, 1, options.DiskLimit, _ => bare.CallAsync(payload)));
        await table.CheckRowsAsync(answered, cancellationToken);
        CheckRegions(lags, options);

        var trip = noise.IsTooFar("bare echo 64 B, 1 caller", [.. trips.Select(round => round.Rate)]) ? (double?)null : trips.Select(round => 1000 / round.Rate).Median();
        var sync = noise.IsTooFar(DiskLimit.Name, [.. disk.Select(round => round.Rate)]) ? (double?)null : disk.Select(round => 1000 / round.Rate).Median();
        return
        [
            .. lags.Select(lag => new BenchResult($"confirm lag {lag.Region}", "ms", lag.Count, lag.P50Ms, lag.P99Ms, lag.MeanMs, trip, lag.P50Ms / trip)),
            writes.Latency.Report($"insert at {options.Rate}/s, from its intended start", writes.Calls, sync),
            new("insert: rate reached", "1/s", writes.Calls, writes.Rate, null, writes.Rate, options.Rate, writes.Rate / options.Rate),
            new("insert: server CPU, all nodes", "us/call", writes.Calls, writes.ServerCpu, null, writes.ServerCpu, null, null),
            new("insert: client CPU", "us/call", writes.Calls, writes.ClientCpu, null, writes.ClientCpu, null, null),
            .. DiskLimit.Report(disk),
        ];
    }

    private static void CheckRegions(IReadOnlyList<LagSummary> lags, BenchOptions options)
    {
        var silent = options.Regions.Skip(1).Except(lags.Where(lag => lag.Count > 0).Select(lag => lag.Region)).ToList();
        if (silent.Count > 0)
        {
            throw new BenchException($"The replicas in {string.Join(", ", silent)} recorded no confirm lag.");
        }
    }
}
