using System.Globalization;

namespace ReplicatedSqlite.EndToEnd;

/// <summary><c>./test chaos</c>: stories of real processes one after the other, each under its own seed.</summary>
internal static class ChaosCommand
{
    private const string Usage = """
        ./test chaos [--minutes M] [--seed S]      tells stories for M minutes (10), the first with seed S (1), the next with S+1 ...
          --network loopback|regions               where nodes run (loopback); regions: simulated ones with delays, cuts and loss, as root
          --length SECONDS                         of the faults of one story (60)
          --nodes N                                3 to 6; without it by the seed
          --sessions N                             clients at once (8)
          --keep FOLDER                            for what failing stories leave (artifacts/chaos)
          --plant lying-sync                       no disk syncs anything in the second half: must be found
        """;

    public static async Task<int> RunAsync(string[] options)
    {
        var (minutes, seed, seconds, nodes, sessions) = (10, 1, 60, 0, 8);
        string? network = null;
        string? plant = null;
        var keep = Path.Combine("artifacts", "chaos");
        for (var i = 0; i < options.Length; i++)
        {
            var value = i + 1 < options.Length ? options[i + 1] : "";
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            switch (options[i])
            {
                case "--minutes" when isNumber:
                    minutes = number;
                    break;
                case "--seed" when isNumber:
                    seed = number;
                    break;
                case "--length" when isNumber:
                    seconds = number;
                    break;
                case "--nodes" when isNumber && number is >= 3 and <= 6:
                    nodes = number;
                    break;
                case "--sessions" when isNumber && number > 0:
                    sessions = number;
                    break;
                case "--network" when value is "loopback" or "regions":
                    network = value;
                    break;
                case "--plant" when value is "lying-sync":
                    plant = value;
                    break;
                case "--keep" when value.Length > 0:
                    keep = value;
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }

            i++;
        }

        if (!Testing.EtcdServer.IsThere)
        {
            Console.Error.WriteLine(Testing.EtcdServer.Missing);
            return 2;
        }

        ProcessNetwork? regions = null;
        if (network == "regions")
        {
            if (RegionsNetwork.Missing is { } reason)
            {
                Console.Error.WriteLine(reason);
                return 2;
            }

            var (inside, code) = await RegionsNetwork.EnterAsync(["chaos", .. options], Console.WriteLine);
            if (inside is null)
            {
                return code;
            }

            regions = inside;
        }

        Console.WriteLine(FaultShim.Missing is { } missing ? $"Clocks and disks are not tampered with: {missing}" : "Clocks run up to 7 % wrong, and power cuts lose what was not synced.");
        var results = new List<ChaosResult>();
        var started = TimeProvider.System.GetTimestamp();
        for (; results.Count == 0 || TimeProvider.System.GetElapsedTime(started).TotalMinutes < minutes; seed++)
        {
            var story = new ChaosOptions
            {
                Seed = seed, Length = TimeSpan.FromSeconds(seconds), Nodes = nodes, Sessions = sessions, Network = regions ?? ProcessNetwork.Loopback, SyncsLie = plant is not null, KeepIn = Path.GetFullPath(keep),
            };
            Console.WriteLine($"== seed {seed}, {(regions is null ? "loopback" : "regions")}");
            var result = await ChaosStory.TellAsync(story, line => Console.WriteLine($"   {line}"));
            results.Add(result);
            foreach (var finding in result.Findings)
            {
                Console.WriteLine($"FOUND {finding}");
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"   {(result.Passed ? "passed" : "FAILED")}: {result.Counts.GetValueOrDefault("writes answered")} of {result.Counts.GetValueOrDefault("writes")} writes answered, {result.Counts.GetValueOrDefault("reads answered")} reads"));
            if (!result.Passed)
            {
                Console.WriteLine($"   kept: {result.Kept}");
                Console.WriteLine($"   again: ./test chaos --minutes 0 --seed {seed} --length {seconds}{(nodes > 0 ? $" --nodes {nodes}" : "")} --sessions {sessions} --network {(regions is null ? "loopback" : "regions")}{(plant is null ? "" : $" --plant {plant}")}");
            }
        }

        Console.WriteLine();
        foreach (var (name, count) in ChaosResult.Sum(results))
        {
            Console.WriteLine($"{count,10} {name}");
        }

        var failed = results.Count(result => !result.Passed);
        Console.WriteLine($"{results.Count - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }
}
