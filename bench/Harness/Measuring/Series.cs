namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The rounds of one closed loop, and the lines of the report that come of them.</summary>
internal sealed class Series(string name, Func<ServerProcess, TimeSpan, Task<LoadResult>> run)
{
    private readonly List<LoadResult> _rounds = [];

    /// <param name="name">In the report.</param>
    /// <param name="callers">Calls at once.</param>
    /// <param name="call">One call of the caller with that number; checks its answer.</param>
    public Series(string name, int callers, Func<int, Task> call)
        : this(name, (server, duration) => ClosedLoop.RunAsync(server, callers, duration, call))
    {
    }

    /// <summary>In the report.</summary>
    public string Name => name;

    /// <summary>Calls per second, round by round.</summary>
    public IReadOnlyList<double> Rates => [.. _rounds.Select(round => round.Rate)];

    /// <summary>Half of the calls were faster, round by round.</summary>
    public IReadOnlyList<double> MediansMs => [.. _rounds.Select(round => round.Latency.Percentile(50) / 1e6)];

    public long Calls => _rounds.Sum(round => round.Calls);

    /// <summary>Warms all up, then lets them take turns.</summary>
    public static async Task AlternateAsync(ServerProcess server, BenchOptions options, IReadOnlyList<Series> all)
    {
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
    public IEnumerable<BenchResult> Report(Noise noise, Series? limit = null)
    {
        double? ratio = limit is null || noise.IsTooFar(limit.Name, limit.Rates) ? null : Rates.Zip(limit.Rates, (own, most) => own / most).Median();
        return Report(limit?.Rates.Median(), ratio);
    }

    /// <summary>Rate and latency of what calls no server.</summary>
    public IEnumerable<BenchResult> ReportAlone() => Report((double?)null, ratio: null).Take(2);

    /// <summary>The rate in what each call carries.</summary>
    public BenchResult ReportRows(string rows, int perCall) =>
        new(rows, "1/s", Calls * perCall, Rates.Median() * perCall, null, Rates.Average() * perCall, null, null);

    /// <summary>The same beside a limit that was measured before and after.</summary>
    /// <param name="limit">Calls per second; <see langword="null"/> if it moved too much.</param>
    public IEnumerable<BenchResult> Report(double? limit) => Report(limit, Rates.Median() / limit);

    private Func<ServerProcess, TimeSpan, Task<LoadResult>> Run => run;

    private IEnumerable<BenchResult> Report(double? limit, double? ratio)
    {
        var latency = new LatencyHistogram();
        foreach (var round in _rounds)
        {
            latency.Add(round.Latency);
        }

        yield return new BenchResult(name, "1/s", Calls, Rates.Median(), null, Rates.Average(), limit, ratio);
        yield return latency.Report($"{name}: latency", Calls);
        yield return Cost("server CPU", "us/call", round => round.ServerCpu);
        yield return Cost("client CPU", "us/call", round => round.ClientCpu);
        yield return Cost("server allocation", "B/call", round => round.ServerBytes);
    }

    private BenchResult Cost(string what, string unit, Func<LoadResult, double> cost) =>
        new($"{name}: {what}", unit, Calls, _rounds.Select(cost).Median(), null, _rounds.Average(cost), null, null);
}
