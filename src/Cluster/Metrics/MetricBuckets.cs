using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Cluster;

/// <summary>The bounds that histograms advise: the same for everything of a kind, so that dashboards can put them side by side.</summary>
public static class MetricBuckets
{
    /// <summary>Seconds, from 100 µs to 10 s.</summary>
    public static InstrumentAdvice<double> Seconds { get; } = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    /// <summary>Numbers of things, in powers of two up to 128.</summary>
    public static InstrumentAdvice<int> Counts { get; } = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128] };
}
