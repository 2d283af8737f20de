namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A histogram as a line of the report.</summary>
internal static class HistogramResult
{
    private const double NanosecondsPerMs = 1_000_000;

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
}
