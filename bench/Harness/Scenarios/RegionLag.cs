namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Confirm lag between regions, and what the way between two of them takes.</summary>
internal static class RegionLag
{
    /// <summary>Writes at the rate of the options, first without a look at the lag.</summary>
    public static async Task<IReadOnlyList<LagSummary>> MeasureAsync(
        ServerProcess server, BenchOptions options, BenchTable table, TimeSpan warmup, Func<Task> writeAsync, CancellationToken cancellationToken)
    {
        long answered = 0;
        async Task WriteAsync()
        {
            await writeAsync();
            Interlocked.Increment(ref answered);
        }

        await OpenLoop.RunAsync(server, options.Rate, warmup, WriteAsync);
        await server.ResetLagAsync();
        await OpenLoop.RunAsync(server, options.Rate, options.Duration, WriteAsync);
        await table.CheckRowsAsync(answered, cancellationToken); // the last ones are there too before the lag is read
        return await server.LagAsync();
    }

    /// <summary>The median round trip of a bare socket from one region to another.</summary>
    public static double TripMs(ServerProcess server, string from, string to, BenchOptions options) => RoundTripLimit.Measure(
        server.NetworkOf(server.Ready.Nodes.First(node => node.Region == from)), server.All.First(process => process.Has(to)).Ready.Trip, options.LimitTime).Latency.Percentile(50) / 1e6;
}
