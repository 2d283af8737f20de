using System.Numerics;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Counts durations in buckets whose width grows with the value, so that every percentile is known to better than 1 %.</summary>
/// <remarks>
/// The idea is that of HdrHistogram: values up to 128 ns have a bucket each; above, every power of two is divided into 64. For one thread at a time; others are
/// added when they are done. Values are nanoseconds; those below zero count as zero.
/// </remarks>
public sealed class LatencyHistogram
{
    private const int HalfBits = 6;
    private const int Half = 1 << HalfBits;

    private readonly long[] _counts = new long[(64 - HalfBits) * Half];
    private double _sum;
    private long _max;

    /// <summary>Values recorded.</summary>
    public long Count { get; private set; }

    /// <summary>Zero if there is none.</summary>
    public double Mean => Count == 0 ? 0 : _sum / Count;

    public long Max => _max;

    public void Record(long nanoseconds)
    {
        var value = Math.Max(0, nanoseconds);
        _counts[IndexOf(value)]++;
        Count++;
        _sum += value;
        _max = Math.Max(_max, value);
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        _sum += other._sum;
        _max = Math.Max(_max, other._max);
    }

    /// <summary>The value that so many of a hundred do not exceed: the middle of its bucket. Zero if there is none.</summary>
    public double Percentile(double percent)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Min(MiddleOf(i), _max);
            }
        }

        return 0;
    }

    private static int IndexOf(long value)
    {
        if (value < 2 * Half)
        {
            return (int)value;
        }

        var shift = BitOperations.Log2((ulong)value) - HalfBits;
        return (shift * Half) + (int)(value >> shift); // the top bits are Half to 2*Half-1
    }

    private static double MiddleOf(int index)
    {
        if (index < 2 * Half)
        {
            return index;
        }

        var shift = (index / Half) - 1;
        long top = Half + (index % Half);
        return (top << shift) + ((1L << shift) / 2.0);
    }
}
