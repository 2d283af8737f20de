namespace ReplicatedSqlite.Node;

/// <summary>One number, or one histogram. Written by any thread, without a lock.</summary>
internal sealed class MetricSeries(double[] bounds)
{
    private readonly long[]? _buckets = bounds.Length == 0 ? null : new long[bounds.Length + 1]; // the last one has no bound
    private double _value; // or the sum of what a histogram has seen

    /// <summary>The collection that has set it last.</summary>
    public long Collected { get; set; }

    public double Value => Volatile.Read(ref _value);

    public void Set(double value) => Volatile.Write(ref _value, value);

    public void Add(double value)
    {
        var seen = Volatile.Read(ref _value);
        while (true)
        {
            var before = Interlocked.CompareExchange(ref _value, seen + value, seen);
            if (before.Equals(seen))
            {
                return;
            }

            seen = before;
        }
    }

    public void Observe(double value)
    {
        if (double.IsNaN(value))
        {
            return; // it belongs to no bucket, and would spoil the sum for ever
        }

        var index = 0;
        while (index < bounds.Length && value > bounds[index])
        {
            index++;
        }

        Interlocked.Increment(ref _buckets![index]);
        Add(value);
    }

    /// <summary>How many were at or below each bound, and in all. Taken from the buckets, so that it only grows.</summary>
    public void Cumulate(Span<long> counts)
    {
        long sum = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            sum += Interlocked.Read(ref _buckets![i]);
            counts[i] = sum;
        }
    }
}
