using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The rounds of one load, and the lines of the report that come of them.</summary>
internal sealed class Series(string name, Func<ServerProcess, TimeSpan, Task<LoadResult>> run)
{
    private readonly List<LoadResult> _rounds = [];

    /// <param name="name">In the report.</param>
    /// <param name="callers">Calls at once, each caller one at a time.</param>
    /// <param name="call">One call of the caller with that number; checks its answer.</param>
    public Series(string name, int callers, Func<int, Task> call)
        : this(name, (server, duration) => ClosedLoop.RunAsync(server, callers, duration, call))
    {
    }

    /// <summary>In the report.</summary>
    public string Name => name;

    /// <summary>What is measured instead of this system; <see langword="null"/>: nothing is.</summary>
    public string? Peer { get; init; }

    /// <summary>Calls per second, round by round.</summary>
    public IReadOnlyList<double> Rates => [.. _rounds.Select(round => round.Rate)];

    /// <summary>Half of the calls were faster, round by round.</summary>
    public IReadOnlyList<double> MediansMs => [.. _rounds.Select(round => round.Latency.Percentile(50) / 1e6)];

    public long Calls => _rounds.Sum(round => round.Calls);

    /// <summary>Of all rounds together.</summary>
    public LatencyHistogram Latency
    {
        get
        {
            var all = new LatencyHistogram();
            foreach (var round in _rounds)
            {
                all.Add(round.Latency);
            }

            return all;
        }
    }

    /// <summary>As the options want it: so many callers one call at a time, or calls that begin at a rate.</summary>
    public static Series Create(string name, BenchOptions options, int callers, Func<int, Task> call)
    {
        if (!options.IsOpenLoop)
        {
            return new Series(name, callers, call);
        }

        var next = 0u;
        return new Series(
            string.Create(CultureInfo.InvariantCulture, $"{name}, open loop of {options.Rate}/s"),
            (server, duration) => OpenLoop.RunAsync(server, options.Rate, duration, () => call((int)(Interlocked.Increment(ref next) % (uint)callers))));
    }

    /// <summary>Warms all up, then lets them take turns.</summary>
    public static async Task AlternateAsync(ServerProcess server, BenchOptions options, IReadOnlyList<Series> all)
    {
        all = options.Only is { } only ? [.. all.Where(series => series.Name.Contains(only, StringComparison.Ordinal))] : all;
        foreach (var series in all)
        {
            await series.Run(server, options.Warmup / all.Count);
        }

        for (var i = 0; i < options.Rounds; i++)
        {
            // Every other time backwards, so that nobody always runs behind the same neighbour.
            foreach (var series in i % 2 == 0 ? all : all.Reverse())
            {
                series._rounds.Add(await series.Run(server, options.Duration / options.Rounds));
            }
        }
    }

    /// <summary>Rate, latency and costs; the rate beside that of a limit that took turns with it.</summary>
    public IEnumerable<BenchResult> Report(Remarks remarks, Series? limit = null)
    {
        double? ratio = limit is null || limit._rounds.Count == 0 || remarks.IsTooFar(limit.Name, limit.Rates) ? null : Rates.Zip(limit.Rates, (own, most) => own / most).Median();
        return Report(ratio is null && limit is { _rounds.Count: 0 } ? null : limit?.Rates.Median(), ratio, null);
    }

    /// <summary>Rate, latency and costs; the rate beside a limit that is measured before and after.</summary>
    public IEnumerable<BenchResult> Report(LimitKind against) => Report(null, null, against);

    /// <summary>Rate and latency of what calls no server.</summary>
    public IEnumerable<BenchResult> ReportAlone() => Report(null, ratio: null, null).Take(2);

    /// <summary>Rate and latency of a peer, with ours as so many times theirs, round by round.</summary>
    public IEnumerable<BenchResult> ReportPeer(Series ours)
    {
        var lines = Report(null, ratio: null, null).Take(2).ToList();
        if (lines.Count == 0)
        {
            yield break;
        }

        yield return lines[0] with { PeerRatio = ours.Rates.Zip(Rates, (own, theirs) => own / theirs).Median() };
        if (Latency.Count > 0)
        {
            yield return lines[1] with { PeerRatio = ours.MediansMs.Zip(MediansMs, (own, theirs) => own / theirs).Median() };
        }
    }

    /// <summary>The rate in what each call carries.</summary>
    public BenchResult ReportRows(string rows, int perCall, Series? ours = null) =>
        new(rows, "1/s", Calls * perCall, Rates.Median() * perCall, null, Rates.DefaultIfEmpty().Average() * perCall, null, null, Peer, ours?.Rates.Zip(Rates, (own, theirs) => own / theirs).Median(), Rates.Spread());

    /// <summary>A point of a plot of throughput.</summary>
    public double[] PointAt(int callers) => [callers, Rates.Median()];

    private Func<ServerProcess, TimeSpan, Task<LoadResult>> Run => run;

    private IEnumerable<BenchResult> Report(double? limit, double? ratio, LimitKind? against)
    {
        if (_rounds.Count == 0)
        {
            yield break; // left out by --only
        }

        yield return new BenchResult(name, "1/s", Calls, Rates.Median(), null, Rates.Average(), limit, ratio, Peer, Spread: Rates.Spread()) { Against = against };
        yield return Latency.Report($"{name}: latency", Calls) with { Peer = Peer };
        yield return Cost("server CPU", "us/call", round => round.ServerCpu);
        yield return Cost("client CPU", "us/call", round => round.ClientCpu);
        yield return Cost("server allocation", "B/call", round => round.ServerBytes);
    }

    private BenchResult Cost(string what, string unit, Func<LoadResult, double> cost) =>
        new($"{name}: {what}", unit, Calls, _rounds.Select(cost).Median(), null, _rounds.Average(cost), null, null);
}
