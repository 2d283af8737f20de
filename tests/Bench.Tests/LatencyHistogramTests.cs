using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Percentiles_are_within_one_percent_of_the_sorted_values()
    {
        const int Seed = 20240917;
        var random = new Random(Seed);
        var values = Enumerable.Range(0, 50_000).Select(_ => (long)Math.Exp(random.NextDouble() * 30)).Order().ToArray(); // 1 ns to some hours
        var histogram = new LatencyHistogram();
        foreach (var value in values)
        {
            histogram.Record(value);
        }

        foreach (var percent in new[] { 0.1, 1, 25, 50, 90, 99, 99.9, 100 })
        {
            var exact = values[(int)Math.Ceiling(values.Length * percent / 100) - 1];
            Assert.InRange(histogram.Percentile(percent), exact * 0.99, exact * 1.01 + 0.5);
        }

        Assert.Equal(values.Length, histogram.Count);
        Assert.Equal(values[^1], histogram.Max);
        Assert.Equal(values.Average(), histogram.Mean, values.Average() * 1e-9);
    }

    [Fact]
    public void Every_value_up_to_the_greatest_has_a_bucket()
    {
        var histogram = new LatencyHistogram();
        foreach (var value in new[] { -5, 0, 1, 127, 128, 129, long.MaxValue })
        {
            histogram.Record(value);
        }

        Assert.Equal(7, histogram.Count);
        Assert.Equal(0, histogram.Percentile(1));
        Assert.InRange(histogram.Percentile(100), long.MaxValue * 0.99, long.MaxValue);
    }

    [Fact]
    public void Adding_one_to_another_is_as_if_it_had_recorded_both()
    {
        var (left, right, both) = (new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram());
        for (var i = 1; i <= 1000; i++)
        {
            (i % 3 == 0 ? left : right).Record(i * 1000);
            both.Record(i * 1000);
        }

        left.Add(right);
        Assert.Equal(both.Count, left.Count);
        Assert.Equal(both.Percentile(50), left.Percentile(50));
        Assert.Equal(both.Percentile(99), left.Percentile(99));
    }

    [Fact]
    public void An_empty_one_says_zero() => Assert.Equal(0, new LatencyHistogram().Percentile(99));
}
