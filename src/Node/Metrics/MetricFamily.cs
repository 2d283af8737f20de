using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace ReplicatedSqlite.Node;

/// <summary>What a family's numbers mean, as Prometheus tells them apart.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>All series of one instrument. Their number is bounded: labels beyond it are counted together as <c>other</c>.</summary>
internal sealed class MetricFamily
{
    private readonly ConcurrentDictionary<LabelSet, MetricSeries> _series = new();
    private readonly MetricSeries _plain; // without labels: the usual one, found without looking
    private readonly MetricSeries?[] _others = new MetricSeries?[LabelSet.Max + 1]; // by number of labels
    private readonly int _maxSeries;
    private readonly bool _isAbsolute; // each measurement is the value, not a change of it
    private int _count; // of the series, by Interlocked; may run a little past the bound
    private int _hasPlain; // 1 once something was recorded without labels

    public MetricFamily(Instrument instrument, int maxSeries)
    {
        var type = instrument.GetType();
        var generic = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        _isAbsolute = instrument.IsObservable || generic == typeof(Gauge<>);
        Kind = generic == typeof(Histogram<>) ? MetricKind.Histogram
            : generic == typeof(Counter<>) || generic == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
        Bounds = Kind == MetricKind.Histogram ? BoundsOf(instrument) : [];
        Name = MetricNames.Of(instrument, Kind);
        Help = instrument.Description ?? "";
        _maxSeries = maxSeries;
        _plain = new MetricSeries(Bounds);
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    public double[] Bounds { get; }

    /// <summary>The series that have a value, of an observable one those that the newest collection has set.</summary>
    public IEnumerable<(LabelSet Labels, MetricSeries Series)> Series(long collection)
    {
        if (Volatile.Read(ref _hasPlain) != 0 && IsCurrent(_plain, collection))
        {
            yield return (default, _plain);
        }

        foreach (var (labels, series) in _series)
        {
            if (IsCurrent(series, collection))
            {
                yield return (labels, series);
            }
        }
    }

    /// <summary>A measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, long collection)
    {
        var series = tags.IsEmpty ? Plain() : Find(new LabelSet(tags));
        if (Kind == MetricKind.Histogram)
        {
            series.Observe(value);
        }
        else if (!_isAbsolute)
        {
            series.Add(value);
        }
        else if (series.Collected == collection)
        {
            series.Add(value); // several that share a series, as what is beyond the bound does
        }
        else
        {
            series.Collected = collection;
            series.Set(value);
        }
    }

    /// <summary>Forgets what the newest collection did not set: a database that is not active any more makes room for another.</summary>
    public void Forget(long collection)
    {
        if (!_isAbsolute)
        {
            return;
        }

        foreach (var (labels, series) in _series)
        {
            if (series.Collected != collection && _series.TryRemove(labels, out _))
            {
                Interlocked.Decrement(ref _count);
            }
        }
    }

    private bool IsCurrent(MetricSeries series, long collection) => !_isAbsolute || series.Collected == collection;

    private MetricSeries Plain()
    {
        Volatile.Write(ref _hasPlain, 1);
        return _plain;
    }

    private MetricSeries Find(in LabelSet labels)
    {
        if (_series.TryGetValue(labels, out var series))
        {
            return series;
        }

        if (Volatile.Read(ref _count) >= _maxSeries)
        {
            return _others[labels.Count] ??= _series.GetOrAdd(labels.Other, _ => new MetricSeries(Bounds));
        }

        var added = new MetricSeries(Bounds);
        series = _series.GetOrAdd(labels, added);
        if (ReferenceEquals(series, added))
        {
            Interlocked.Increment(ref _count);
        }

        return series;
    }

    private static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(static bound => (double)bound)],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(static bound => (double)bound)],
        _ => [.. Cluster.MetricBuckets.Seconds.HistogramBucketBoundaries!],
    };
}
