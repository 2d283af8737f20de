namespace ReplicatedSqlite.Simulation;

/// <summary>Plants one fault after the other and counts the seeds that it takes to find it.</summary>
internal static class FaultTable
{
    private const int MostSeeds = 20_000;

    /// <summary>How many seeds from one on until a checker finds the fault; <see langword="null"/> if none of so many does.</summary>
    public static (int Seeds, string Checker)? Search(PlantedFault fault, int first, int most)
    {
        if (fault.Script is { } script)
        {
            return script(fault.Make()).Findings is [var found, ..] ? (1, found.Checker) : null;
        }

        for (var i = 0; i < most; i++)
        {
            if (Story.Run(first + i, fault.Make()).Findings is [var found, ..])
            {
                return (i + 1, found.Checker);
            }
        }

        return null;
    }

    public static int Print(string? only, int tries, int first)
    {
        var faults = PlantedFault.All.Where(fault => only is null || fault.Name.Contains(only, StringComparison.OrdinalIgnoreCase)).ToList();
        var lines = new string[faults.Count];
        var missed = 0;
        Console.WriteLine("| planted fault | median seeds | of tries | found by |");
        Console.WriteLine("|---|---|---|---|");
        Parallel.For(0, faults.Count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var found = Enumerable.Range(0, faults[i].Script is null ? tries : 1).Select(attempt => Search(faults[i], first + (attempt * 100_000), MostSeeds)).ToList();
            var counts = found.Select(each => each?.Seeds ?? int.MaxValue).Order().ToList();
            var median = counts[counts.Count / 2];
            missed += median == int.MaxValue ? 1 : 0;
            var checkers = string.Join(", ", found.Where(each => each is not null).Select(each => each!.Value.Checker).Distinct());
            lines[i] = $"| {faults[i].Name} | {(faults[i].Script is not null ? "script" : median == int.MaxValue ? $"over {MostSeeds}" : median)} | {string.Join(" ", counts)} | {checkers} |";
            lock (lines)
            {
                Console.WriteLine(lines[i]);
            }
        });
        Console.WriteLine($"{faults.Count - missed} passed, {missed} failed");
        return missed == 0 ? 0 : 1;
    }
}
