using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Listens to the confirm lag that replicas record in every build, and sums it up by region.</summary>
internal sealed class LagRecorder : IDisposable
{
    private const double NanosecondsPerMs = 1_000_000;
    private const double NanosecondsPerSecond = 1_000_000_000;

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, RegionLag> _byRegion = new(); // one a region; each is recorded to under its own lock
    private long _since = Stopwatch.GetTimestamp();

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

    public void Reset()
    {
        _byRegion.Clear();
        Volatile.Write(ref _since, Stopwatch.GetTimestamp());
    }

    public IReadOnlyList<LagSummary> Summarize() =>
    [
        .. _byRegion.OrderBy(region => region.Key, StringComparer.Ordinal).Select(region =>
        {
            lock (region.Value)
            {
                var lag = region.Value.All;
                return new LagSummary(
                    region.Key, lag.Count, lag.Percentile(50) / NanosecondsPerMs, lag.Percentile(99) / NanosecondsPerMs, lag.Mean / NanosecondsPerMs, region.Value.Timeline());
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
                var lag = _byRegion.GetOrAdd(region, static _ => new RegionLag());
                lock (lag)
                {
                    lag.Record((int)Stopwatch.GetElapsedTime(Volatile.Read(ref _since)).TotalSeconds, (long)(lagSeconds * NanosecondsPerSecond));
                }
            }
        }
    }

    /// <summary>What one region's replicas recorded.</summary>
    private sealed class RegionLag
    {
        private const int MostSeconds = 300; // what comes later counts into the last

        private readonly List<LatencyHistogram> _seconds = [];

        public LatencyHistogram All { get; } = new();

        public void Record(int second, long nanoseconds)
        {
            All.Record(nanoseconds);
            var at = Math.Min(second, MostSeconds - 1);
            while (_seconds.Count <= at)
            {
                _seconds.Add(new LatencyHistogram());
            }

            _seconds[at].Record(nanoseconds);
        }

        public IReadOnlyList<double[]> Timeline() =>
        [
            .. _seconds.Index().Where(static second => second.Item.Count > 0)
                .Select(static second => (double[])[second.Index, second.Item.Percentile(50) / NanosecondsPerMs, second.Item.Percentile(99) / NanosecondsPerMs]),
        ];
    }
}
