using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Node;

/// <summary>Listens to the meters of one node and keeps their sums. Safe for use by any thread; recording takes no lock and allocates nothing once a series is there.</summary>
internal sealed class MetricsCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _collecting = new();
    private readonly List<MetricFamily> _families = []; // under its own lock
    private long _collection; // under _collecting; read by the callbacks of observable instruments, which run under it too

    /// <param name="scope">Of the meters that are meant.</param>
    /// <param name="maxSeries">Most series of one instrument.</param>
    public MetricsCollector(object scope, int maxSeries)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, scope))
            {
                var family = new MetricFamily(instrument, maxSeries);
                lock (_families)
                {
                    _families.Add(family);
                }

                listener.EnableMeasurementEvents(instrument, new Sink(this, family));
            }
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, sink) => ((Sink)sink!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, sink) => ((Sink)sink!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, sink) => ((Sink)sink!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>Everything in Prometheus's text format.</summary>
    public void WriteTo(TextWriter writer)
    {
        lock (_collecting)
        {
            _collection++;
            _listener.RecordObservableInstruments();
            List<MetricFamily> families;
            lock (_families)
            {
                families = [.. _families.OrderBy(static family => family.Name, StringComparer.Ordinal)];
            }

            foreach (var family in families)
            {
                PrometheusText.Write(writer, family, _collection);
                family.Forget(_collection);
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private sealed class Sink(MetricsCollector owner, MetricFamily family)
    {
        public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => family.Record(value, tags, owner._collection);
    }
}
