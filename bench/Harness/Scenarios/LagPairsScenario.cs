namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Confirm lag from a primary in each region to a replica in each other one, beside the one-way delay between the two.</summary>
internal sealed class LagPairsScenario : Scenario
{
    private const double MostBeyondP50Ms = 3; // of the one-way delay
    private const double MostBeyondP99Ms = 15;
    private static readonly string[] _regions = ["enam", "wnam", "weur", "eeur", "apac", "oc"]; // of the matrix

    public override IReadOnlyList<string> Regions(BenchOptions options) => options.Matrix is null ? options.Regions : _regions;

    /// <remarks>A node in each, as small clusters have it: the followers are in the nearest regions.</remarks>
    public override IReadOnlyList<NodeGroup>? Groups(BenchOptions options) => options.Matrix is null ? null : [.. _regions.Select(static region => new NodeGroup([region]))];

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        if (options.Matrix is null)
        {
            remarks.Note("there was no --matrix: the regions stand at no distance from each other");
        }

        var regions = Regions(options);
        var pairs = new List<(string Name, LagSummary Lag, double OneWayMs)>();
        await RegionLag.WarmAsync(server, options, regions, cancellationToken);
        foreach (var primary in regions)
        {
            var others = regions.Where(region => region != primary).ToList();
            var delays = others.Select(region => options.Matrix is null ? 0 : RegionLag.TripMs(server, primary, region, options) / 2).ToList(); // while nothing is written
            var lags = await RegionLag.MeasureAsync(server, options, primary, cancellationToken);
            foreach (var (region, delay) in others.Zip(delays))
            {
                var pair = lags.FirstOrDefault(found => found.Region == region && found.Count > 0) ?? throw new BenchException($"The replica in {region} recorded no confirm lag of the primary in {primary}.");
                pairs.Add(($"{primary} to {region}", pair, delay));
            }
        }

        double BeyondP50((string Name, LagSummary Lag, double OneWayMs) pair) => pair.Lag.P50Ms - pair.OneWayMs;
        double BeyondP99((string Name, LagSummary Lag, double OneWayMs) pair) => pair.Lag.P99Ms - pair.OneWayMs;
        var (worst, slowest) = (pairs.MaxBy(BeyondP50), pairs.MaxBy(BeyondP99));
        return
        [
            .. pairs.Select(pair => new BenchResult(
                $"{pair.Name}, beside the one-way delay", "ms", pair.Lag.Count, pair.Lag.P50Ms, pair.Lag.P99Ms, pair.Lag.MeanMs, pair.OneWayMs, pair.OneWayMs > 0 ? pair.Lag.P50Ms / pair.OneWayMs : null)),
            new($"most beyond it at p50: {worst.Name}", "ms", worst.Lag.Count, BeyondP50(worst), null, null, MostBeyondP50Ms, BeyondP50(worst) / MostBeyondP50Ms),
            new($"most beyond it at p99: {slowest.Name}", "ms", slowest.Lag.Count, null, BeyondP99(slowest), null, MostBeyondP99Ms, BeyondP99(slowest) / MostBeyondP99Ms),
        ];
    }
}
