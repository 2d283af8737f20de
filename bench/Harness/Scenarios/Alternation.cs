namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Two or more closed loops in turn, A B A B …, so that a machine that gets slower or faster changes them alike. The last one is the limit of the others.</summary>
internal sealed class Alternation(ServerProcess server, RunOptions options)
{
    private const double NoisySpread = 1.5; // of the limit's rounds: above it a ratio says little

    private readonly List<(string Name, List<LoopResult> Rounds)> _loops = [];

    public async Task RunAsync(params (string Name, Func<int, Task> Call)[] loops)
    {
        foreach (var (name, call) in loops)
        {
            _loops.Add((name, []));
            await ClosedLoop.RunAsync(server, options.Callers, options.WarmUp / loops.Length, call);
        }

        for (var round = 0; round < options.Rounds; round++)
        {
            for (var i = 0; i < loops.Length; i++)
            {
                _loops[i].Rounds.Add(await ClosedLoop.RunAsync(server, options.Callers, options.Duration / (options.Rounds * loops.Length), loops[i].Call));
            }
        }
    }

    public void Report(string suffix, List<Result> results, List<string> notes)
    {
        var limits = _loops[^1].Rounds.Select(round => round.PerSecond).ToList();
        foreach (var (name, rounds) in _loops)
        {
            var rates = rounds.Select(round => round.PerSecond).ToList();
            var isLimit = ReferenceEquals(rounds, _loops[^1].Rounds);
            results.Add(Result.Rate(name + suffix, rates, isLimit ? null : Result.Median(limits)));
            var latencies = new Samples();
            rounds.ForEach(round => latencies.AddRange(round.Latencies.ToArray()));
            results.Add(Result.Of(name + suffix + ", latency", "ms", latencies));
            results.Add(Result.Values(name + suffix + ", server CPU", "us/call", [.. rounds.Select(round => round.ServerCpu)]));
            results.Add(Result.Values(name + suffix + ", client CPU", "us/call", [.. rounds.Select(round => round.ClientCpu)]));
        }

        if (limits.Max() / limits.Min() > NoisySpread)
        {
            notes.Add($"noisy: '{_loops[^1].Name}{suffix}' varied from {limits.Min():F0} to {limits.Max():F0} a second within this run; its ratios say little");
        }
    }
}
