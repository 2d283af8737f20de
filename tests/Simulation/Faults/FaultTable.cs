namespace ReplicatedSqlite.Simulation;

/// <summary>Plants one fault after the other and counts the seeds that it takes to find it.</summary>
internal static class FaultTable
{
    /// <summary>How many seeds from one on until a checker finds the fault; <see langword="null"/> if none of so many does. What a core refuses by throwing does not count.</summary>
    public static (int Seeds, string Checker)? Search(PlantedFault fault, int first, int most)
    {
        for (var i = 0; i < (fault.Script is null ? most : 1); i++)
        {
            if (Found(fault.Run(first + i)) is { } checker)
            {
                return (i + 1, checker);
            }
        }

        return null;
    }

    public static int Print(string? only, int tries, int first, int most)
    {
        var faults = PlantedFault.All.Where(fault => only is null || (only == "rare" ? fault.IsRare : fault.Name.Contains(only, StringComparison.OrdinalIgnoreCase))).ToList();
        var lines = new string[faults.Count];
        var missed = 0;
        Console.WriteLine("| planted fault | median seeds | of tries | found by |");
        Console.WriteLine("|---|---|---|---|");
        Parallel.For(0, faults.Count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var found = Enumerable.Range(0, faults[i].Script is null ? tries : 1).Select(attempt => Search(faults[i], first + (attempt * 100_000), most)).ToList();
            var counts = found.Select(each => each?.Seeds ?? int.MaxValue).Order().ToList();
            var median = counts[counts.Count / 2];
            missed += median == int.MaxValue ? 1 : 0;
            var checkers = string.Join(", ", found.Where(each => each is not null).Select(each => each!.Value.Checker).Distinct());
            lines[i] = $"| {faults[i].Name} | {(faults[i].Script is not null ? "script" : median == int.MaxValue ? $"over {most}" : median)} | {string.Join(" ", counts)} | {checkers} |";
            lock (lines)
            {
                Console.WriteLine(lines[i]);
            }
        });
        Console.WriteLine($"{faults.Count - missed} passed, {missed} failed");
        return missed == 0 ? 0 : 1;
    }

    private static string? Found(StoryResult result) => result.Findings.FirstOrDefault(finding => finding.Checker != Finding.Thrown)?.Checker;
}
