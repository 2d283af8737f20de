using System.Diagnostics.Metrics;
using System.Globalization;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Node.Tests;

public sealed class CollectorTests : IDisposable
{
    private const int MaxSeries = 10;

    private readonly NodeMeters _meters = new();
    private readonly MetricsCollector _collector;
    private readonly Meter _meter;

    public CollectorTests()
    {
        _collector = new MetricsCollector(_meters, MaxSeries);
        _meter = _meters.Create(new MeterOptions("test"));
    }

    [Fact]
    public void Counters_and_gauges_are_named_by_unit_and_kind()
    {
        _meter.CreateCounter<long>("a.bytes-read", "By", "What was read.").Add(3);
        var gauge = _meter.CreateUpDownCounter<int>("a.waiting", "{request}");
        gauge.Add(5);
        gauge.Add(-2);
        _meter.CreateObservableGauge("a.age", () => 1.5, "s");

        var metrics = Collect();

        Assert.Equal(3, metrics.Value("a_bytes_read_bytes_total"));
        Assert.Equal(3, metrics.Value("a_waiting"));
        Assert.Equal(1.5, metrics.Value("a_age_seconds"));
        Assert.Equal("counter", metrics.Types["a_bytes_read_bytes_total"]);
        Assert.Equal("gauge", metrics.Types["a_waiting"]);
        Assert.Equal("What was read.", metrics.Help["a_bytes_read_bytes_total"]);
    }

    [Fact]
    public void A_histogram_counts_what_is_at_or_below_each_bound()
    {
        var histogram = _meter.CreateHistogram("wait", "s", "", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2, 4] });
        foreach (var value in new[] { 0.5, 1, 1.5, 4, 100, double.NaN })
        {
            histogram.Record(value, new KeyValuePair<string, object?>("code", "OK"));
        }

        var metrics = Collect();

        Assert.Equal(2, metrics.Value("wait_seconds_bucket", ("le", "1"), ("code", "OK")));
        Assert.Equal(3, metrics.Value("wait_seconds_bucket", ("le", "2")));
        Assert.Equal(4, metrics.Value("wait_seconds_bucket", ("le", "4")));
        Assert.Equal(5, metrics.Value("wait_seconds_bucket", ("le", "+Inf")));
        Assert.Equal(107, metrics.Value("wait_seconds_sum"));
    }

    [Fact]
    public void Text_with_quotes_backslashes_and_line_ends_comes_back_as_it_was()
    {
        const string Nasty = "a \"b\" \\ c\nd";
        _meter.CreateCounter<long>("nasty", description: Nasty).Add(1, new KeyValuePair<string, object?>("label-1", Nasty));

        var metrics = Collect();

        Assert.Equal(Nasty, metrics.Help["nasty_total"]);
        Assert.Equal(1, metrics.Value("nasty_total", ("label_1", Nasty)));
    }

    [Fact]
    public void Labels_beyond_the_bound_are_counted_together()
    {
        var counter = _meter.CreateCounter<long>("requests");
        for (var i = 0; i < 1000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("database", "db" + i.ToString(CultureInfo.InvariantCulture)));
        }

        var metrics = Collect();

        Assert.Equal(MaxSeries + 1, metrics.Samples.Count);
        Assert.Equal(1000 - MaxSeries, metrics.Value("requests_total", ("database", "other")));
        Assert.Equal(1000, metrics.Samples.Sum(sample => sample.Value));
    }

    [Fact]
    public void What_an_observable_gauge_shows_no_more_goes_and_makes_room()
    {
        var shown = Enumerable.Range(0, MaxSeries).ToList();
        _meter.CreateObservableGauge("size", () => shown.Select(i => new Measurement<int>(i, new KeyValuePair<string, object?>("database", i.ToString(CultureInfo.InvariantCulture)))));
        Assert.Equal(MaxSeries, Collect().Samples.Count);

        shown = [.. Enumerable.Range(100, MaxSeries)];
        Collect(); // the old ones are still counted when the new ones come
        var metrics = Collect();

        Assert.Equal(MaxSeries, metrics.Samples.Count);
        Assert.Equal(105, metrics.Value("size", ("database", "105")));
    }

    [Fact]
    public void Two_nodes_of_a_process_do_not_see_each_others_figures()
    {
        using var others = new NodeMeters();
        others.Create(new MeterOptions("test")).CreateCounter<long>("mine").Add(1);
        _meter.CreateCounter<long>("mine").Add(10);

        Assert.Equal(10, Collect().Value("mine_total"));
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        var histogram = _meter.CreateHistogram("duration", "s", "", advice: MetricBuckets.Seconds);
        var counter = _meter.CreateCounter<long>("count");
        Record(1000); // series are made, code is compiled
        var before = GC.GetAllocatedBytesForCurrentThread();
        Record(10_000);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1000, $"{GC.GetAllocatedBytesForCurrentThread() - before} bytes");

        void Record(int times)
        {
            for (var i = 0; i < times; i++)
            {
                histogram.Record(0.001, new("method", "Execute"), new("copy", "replica"), new("code", "OK"));
                counter.Add(1, new KeyValuePair<string, object?>("database", "shop"));
            }
        }
    }

    [Fact(Explicit = true)]
    public void Cost_of_recording()
    {
        var histogram = _meter.CreateHistogram("duration", "s", "", advice: MetricBuckets.Seconds);
        var counter = _meter.CreateCounter<long>("count");
        var plain = _meter.CreateUpDownCounter<int>("plain");
        Measure("histogram, three labels", () => histogram.Record(0.001, new("method", "Execute"), new("copy", "replica"), new("code", "OK")));
        Measure("counter, one label", () => counter.Add(1, new KeyValuePair<string, object?>("database", "shop")));
        Measure("counter, no label", () => plain.Add(1));

        static void Measure(string what, Action record)
        {
            const int Times = 2_000_000;
            var best = TimeSpan.MaxValue;
            for (var round = 0; round < 6; round++)
            {
                var started = TimeProvider.System.GetTimestamp();
                for (var i = 0; i < Times; i++)
                {
                    record();
                }

                best = TimeProvider.System.GetElapsedTime(started) is var took && took < best ? took : best;
            }

            TestContext.Current.SendDiagnosticMessage($"{what}: {best.TotalNanoseconds / Times:F0} ns");
            TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {best.TotalNanoseconds / Times:F0} ns");
        }
    }

    [Fact]
    public void Sums_are_right_when_many_threads_record_beside_collections()
    {
        var histogram = _meter.CreateHistogram("duration", "s", "", advice: MetricBuckets.Seconds);
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                histogram.Record(0.25);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        while (threads.Exists(thread => thread.IsAlive))
        {
            Collect(); // each is checked to be monotone
        }

        var metrics = Collect();
        Assert.Equal(80_000, metrics.Value("duration_seconds_count"));
        Assert.Equal(20_000, metrics.Value("duration_seconds_sum"), 6);
    }

    public void Dispose()
    {
        _collector.Dispose();
        _meters.Dispose();
    }

    private Exposition Collect()
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        _collector.WriteTo(text);
        return Exposition.Parse(text.ToString());
    }
}
