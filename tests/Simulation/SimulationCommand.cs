using System.Globalization;

namespace ReplicatedSqlite.Simulation;

/// <summary><c>./test simulation</c>: runs seeds and says how to repeat the first that fails.</summary>
internal static class SimulationCommand
{
    private const string Usage = """
        ./test simulation [--seeds N] [--first S] [--seconds T]   runs N stories (1,000) from seed S (1) on, for T seconds at most
        ./test simulation --seed S [--story]                      runs one story; --story tells it
        ... --plant NAME                                          with a planted fault in them, or a variant that must pass
        ./test simulation --faults [--fault NAME] [--tries N]     plants each fault and says how many seeds it takes to find it (median of N tries, 5; up to --seeds each)
        """;

    public static int Run(string[] options)
    {
        var (seeds, first, tries, seconds) = (1_000, 1, 5, double.PositiveInfinity);
        int? seed = null;
        string? fault = null;
        PlantedFault? plant = null;
        var (tells, plants, isBounded) = (false, false, false);
        for (var i = 0; i < options.Length; i++)
        {
            switch (options[i])
            {
                case "--seeds" when Number(options, ++i) is { } number:
                    (seeds, isBounded) = (number, true);
                    break;
                case "--first" when Number(options, ++i) is { } number:
                    first = number;
                    break;
                case "--seconds" when Number(options, ++i) is { } number:
                    (seconds, seeds) = (number, seeds == 1_000 ? int.MaxValue - first : seeds);
                    break;
                case "--seed" when Number(options, ++i) is { } number:
                    seed = number;
                    break;
                case "--tries" when Number(options, ++i) is { } number:
                    tries = number;
                    break;
                case "--fault" when ++i < options.Length:
                    (plants, fault) = (true, options[i]);
                    break;
                case "--plant" when ++i < options.Length && PlantedFault.Named(options[i]) is { } named:
                    plant = named;
                    break;
                case "--faults":
                    plants = true;
                    break;
                case "--story":
                    tells = true;
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }

        return plants ? FaultTable.Print(fault, tries, first, isBounded ? seeds : 20_000) : seed is { } one ? RunOne(one, tells, plant) : RunMany(seeds, first, seconds, plant);
    }

    private static int? Number(string[] options, int at) =>
        at < options.Length && int.TryParse(options[at], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static int RunMany(int seeds, int first, double seconds, PlantedFault? plant)
    {
        var run = StoryRunner.Run(Enumerable.Range(first, seeds), seconds, plant);
        var count = run.Passed + run.Failed.Count;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} seeds in {run.Took.TotalSeconds:F1} s: {count / run.Took.TotalSeconds:F0} seeds/s, {run.Events / Math.Max(1, count)} events each"));
        if (run.Failed is [var (seed, what), ..])
        {
            Console.WriteLine($"First failing seed: {seed}. Repeat it with: ./test simulation --seed {seed} --story");
            Console.WriteLine(what);
            Console.WriteLine($"All: {string.Join(", ", run.Failed.Take(50).Select(failed => failed.Seed))}");
        }

        Console.WriteLine($"{run.Passed} passed, {run.Failed.Count} failed");
        return run.Failed.Count == 0 && run.Passed > 0 ? 0 : 1;
    }

    private static int RunOne(int seed, bool tells, PlantedFault? plant)
    {
        var result = plant is null ? Story.Run(seed, log: tells ? Console.WriteLine : null) : plant.Run(seed, tells ? Console.WriteLine : null);
        foreach (var finding in result.Findings)
        {
            Console.WriteLine(finding);
        }

        Console.WriteLine($"seed {seed}: {result.Events} events, trace {result.Trace:x16}");
        var passed = result.Findings.Count == 0;
        Console.WriteLine(passed ? "1 passed, 0 failed" : "0 passed, 1 failed");
        return passed ? 0 : 1;
    }
}
