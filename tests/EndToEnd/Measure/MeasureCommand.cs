using System.Globalization;

namespace ReplicatedSqlite.EndToEnd;

/// <summary><c>./test measure</c>: figures that need processes to be killed or cut off many times.</summary>
internal static class MeasureCommand
{
    private const string Usage = """
        ./test measure failover [--times N] [--nodes N] [--network loopback|regions]   the primary's process killed, N times (50): until the next answered write
        ./test measure partition [--times N] [--nodes N]                               the primary cut off from all but its clients, over simulated regions (root)
        ./test measure idle [--databases N]                                            memory of a node with N idle databases (100,000), and the first query of one
        """;

    public static async Task<int> RunAsync(string[] options)
    {
        var (what, times, nodes, databases, network) = (options.FirstOrDefault(), 50, 3, 100_000, "loopback");
        for (var i = 1; i < options.Length; i += 2)
        {
            var value = i + 1 < options.Length ? options[i + 1] : "";
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0;
            switch (options[i])
            {
                case "--times" when isNumber:
                    times = number;
                    break;
                case "--nodes" when isNumber && number is >= 3 and <= 6:
                    nodes = number;
                    break;
                case "--databases" when isNumber:
                    databases = number;
                    break;
                case "--network" when value is "loopback" or "regions":
                    network = value;
                    break;
                default:
                    what = null;
                    break;
            }
        }

        if (what is not ("failover" or "partition" or "idle"))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        var place = ProcessNetwork.Loopback;
        if (what == "partition" || network == "regions")
        {
            if (RegionsNetwork.Missing is { } missing)
            {
                Console.Error.WriteLine(missing);
                return 2;
            }

            var (inside, code) = await RegionsNetwork.EnterAsync(["measure", .. options], Console.WriteLine);
            if (inside is null)
            {
                return code;
            }

            place = inside;
        }

        var figures = what == "idle"
            ? await IdleMeasure.RunAsync(databases, Console.WriteLine)
            : await FailoverMeasure.RunAsync(place, nodes, times, cut: what == "partition", Console.WriteLine);
        var sorted = figures.Order().ToList();
        double At(double part) => sorted[(int)Math.Ceiling(part * sorted.Count) - 1];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {sorted.Count} times, p50 {At(0.5):F1} ms, p90 {At(0.9):F1} ms, p99 {At(0.99):F1} ms, most {sorted[^1]:F1} ms, least {sorted[0]:F1} ms"));
        return 0;
    }
}
