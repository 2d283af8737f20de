using System.Diagnostics;

namespace ReplicatedSqlite.Simulation;

/// <summary>What came of many stories.</summary>
internal sealed record RunResult(int Passed, IReadOnlyList<(int Seed, string What)> Failed, TimeSpan Took, long Events);

/// <summary>Runs seeds side by side, each story in one thread of its own.</summary>
internal static class StoryRunner
{
    /// <param name="seeds">Which.</param>
    /// <param name="seconds">No new story is begun after so long.</param>
    /// <param name="plant">What is planted in them.</param>
    public static RunResult Run(IEnumerable<int> seeds, double seconds = double.PositiveInfinity, PlantedFault? plant = null)
    {
        var clock = Stopwatch.StartNew();
        var failed = new List<(int, string)>();
        var passed = 0;
        long events = 0;
        Parallel.ForEach(
            System.Collections.Concurrent.Partitioner.Create(seeds, System.Collections.Concurrent.EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            (seed, state) =>
            {
                if (clock.Elapsed.TotalSeconds > seconds)
                {
                    state.Stop();
                    return;
                }

                var result = plant?.Run(seed) ?? Story.Run(seed);
                Interlocked.Add(ref events, result.Events);
                if (result.Findings.Count == 0)
                {
                    Interlocked.Increment(ref passed);
                    return;
                }

                lock (failed)
                {
                    failed.Add((seed, string.Join(Environment.NewLine, result.Findings)));
                }
            });
        failed.Sort();
        return new(passed, failed, clock.Elapsed, events);
    }
}
