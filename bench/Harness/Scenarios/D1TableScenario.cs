namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The table of D1's announcement of read replication: confirm lag from a primary in North America's east and from one in its west to the other regions, beside the published figures.</summary>
internal sealed class D1TableScenario : Scenario
{
    private const string Published = "Cloudflare D1, as published";
    private const double MostBeyondMs = 2; // of the one-way delay
    private static readonly string[] _regions = ["enam", "wnam", "weur", "eeur"];

    // Milliseconds, in the order of the other regions.
    private static readonly (string Primary, (string Region, double PublishedMs)[] Others)[] _table =
    [
        ("enam", [("wnam", 45), ("weur", 55), ("eeur", 67)]),
        ("wnam", [("enam", 30), ("weur", 75), ("eeur", 75)]),
    ];

    public override IReadOnlyList<string> Regions(BenchOptions options) => _regions;

    /// <remarks>Both that lead have followers at hand; a quorum of two is reached without leaving the region.</remarks>
    public override IReadOnlyList<NodeGroup>? Groups(BenchOptions options) => options.Matrix is null
        ? null
        : [new(["enam", "enam", "enam"]), new(["wnam", "wnam", "wnam"]), new(["weur"], ReplicasOnly: true), new(["eeur"], ReplicasOnly: true)];

    public override async Task<IReadOnlyList<BenchResult>> RunAsync(ServerProcess server, BenchOptions options, Remarks remarks, CancellationToken cancellationToken)
    {
        if (options.Matrix is null)
        {
            remarks.Note("there was no --matrix: the regions stand at no distance, so nothing can be said beside D1");
        }

        var results = new List<BenchResult>();
        await RegionLag.WarmAsync(server, options, [.. _table.Select(static row => row.Primary)], cancellationToken);
        foreach (var (primary, others) in _table)
        {
            var lags = await RegionLag.MeasureAsync(server, options, primary, cancellationToken);
            foreach (var (region, published) in others)
            {
                var lag = lags.FirstOrDefault(lag => lag.Region == region && lag.Count > 0) ?? throw new BenchException($"The replica in {region} recorded no confirm lag of the primary in {primary}.");
                var oneWay = options.Matrix is null ? (double?)null : RegionLag.TripMs(server, primary, region, options) / 2;
                results.Add(new($"primary {primary}: confirm lag {region}", "ms", lag.Count, lag.P50Ms, lag.P99Ms, lag.MeanMs, oneWay, lag.P50Ms / oneWay));
                if (oneWay is not null)
                {
                    results.Add(new($"primary {primary}: confirm lag {region}, beyond the one-way delay", "ms", lag.Count, lag.P50Ms - oneWay, lag.P99Ms - oneWay, lag.MeanMs - oneWay, MostBeyondMs, (lag.P50Ms - oneWay) / MostBeyondMs));
                    results.Add(new($"primary {primary}: confirm lag {region}", "ms", 1, published, null, null, null, null, Published, lag.P50Ms / published));
                }
            }

            remarks.Plot(new($"lag-{primary}", $"Confirm lag of a primary in {primary.ToUpperInvariant()}, p50", PlotKind.Time, "seconds", "milliseconds",
                [.. others.Select(other => new PlotLine(other.Region, [.. lags.First(lag => lag.Region == other.Region).Timeline.Select(static second => (double[])[second[0], second[1]])]))]));
        }

        return results;
    }
}
