namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A histogram as a line of the report.</summary>
internal static class HistogramResult
{
    private const double NanosecondsPerMs = 1_000_000;
    private static readonly double[] _percents = [50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99];

    /// <summary>In milliseconds, beside a limit if there is one.</summary>
    public static BenchResult Report(this LatencyHistogram latency, string name, long count, double? limitMs = null) => new(
        name,
        "ms",
        count,
        latency.Percentile(50) / NanosecondsPerMs,
        latency.Percentile(99) / NanosecondsPerMs,
        latency.Mean / NanosecondsPerMs,
        limitMs,
        latency.Percentile(50) / NanosecondsPerMs / limitMs);

    /// <summary>A line over its percentiles, as far as there are enough values for them.</summary>
    public static PlotLine PlotLine(this LatencyHistogram latency, string name) =>
        new(name, [.. _percents.Where(percent => latency.Count * (100 - percent) / 100 >= 1).Select(percent => (double[])[percent, latency.Percentile(percent) / NanosecondsPerMs])]);
}
