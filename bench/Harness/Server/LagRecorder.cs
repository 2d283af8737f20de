using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Listens to the confirm lag that replicas record in every build, and sums it up by region.</summary>
internal sealed class LagRecorder : IDisposable
{
    private const double NanosecondsPerMs = 1_000_000;
    private const double NanosecondsPerSecond = 1_000_000_000;

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, LatencyHistogram> _byRegion = new(); // one a region; each is recorded to under its own lock

    public LagRecorder()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "ReplicatedSqlite.Replica", Name: "replicatedsqlite.confirm_lag" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((_, lagSeconds, tags, _) => Record(lagSeconds, tags));
        _listener.Start();
    }

    public void Reset() => _byRegion.Clear();

    public IReadOnlyList<LagSummary> Summarize() =>
    [
        .. _byRegion.OrderBy(region => region.Key, StringComparer.Ordinal).Select(region =>
        {
            lock (region.Value)
            {
                var lag = region.Value;
                return new LagSummary(region.Key, lag.Count, lag.Percentile(50) / NanosecondsPerMs, lag.Percentile(99) / NanosecondsPerMs, lag.Mean / NanosecondsPerMs);
            }
        }),
    ];

    public void Dispose() => _listener.Dispose();

    private void Record(double lagSeconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
        {
            if (tag is { Key: "region", Value: string region })
            {
                var lag = _byRegion.GetOrAdd(region, static _ => new LatencyHistogram());
                lock (lag)
                {
                    lag.Record((long)(lagSeconds * NanosecondsPerSecond));
                }
            }
        }
    }
}
