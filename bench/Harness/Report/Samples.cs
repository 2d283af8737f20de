namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Latencies of one measurement, in milliseconds, with exact percentiles. Safe for use by any thread while it is filled.</summary>
internal sealed class Samples
{
    private readonly Lock _gate = new();
    private readonly List<double> _values = [];
    private bool _sorted;

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _values.Count;
            }
        }
    }

    public double Mean
    {
        get
        {
            lock (_gate)
            {
                return _values.Count == 0 ? 0 : _values.Average();
            }
        }
    }

    public void Add(double milliseconds)
    {
        lock (_gate)
        {
            _values.Add(milliseconds);
            _sorted = false;
        }
    }

    public void AddRange(IEnumerable<double> milliseconds)
    {
        lock (_gate)
        {
            _values.AddRange(milliseconds);
            _sorted = false;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _values.Clear();
        }
    }

    public double[] ToArray()
    {
        lock (_gate)
        {
            return [.. _values];
        }
    }

    /// <summary>The value below which this share of the samples lies; nearest rank.</summary>
    public double Percentile(double percent)
    {
        lock (_gate)
        {
            if (_values.Count == 0)
            {
                return 0;
            }

            if (!_sorted)
            {
                _values.Sort();
                _sorted = true;
            }

            return _values[Math.Clamp((int)Math.Ceiling(percent / 100 * _values.Count) - 1, 0, _values.Count - 1)];
        }
    }
}
