namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Simulated regions: a network namespace each, with delays between them, by the script that lies beside their matrix.</summary>
internal sealed class Regions : IAsyncDisposable
{
    private const string Net = "rsbench";

    private readonly string _script;
    private readonly Dictionary<string, (string Name, string Address)> _all = new(StringComparer.OrdinalIgnoreCase);

    private Regions(string script) => _script = script;

    /// <summary>Brings the network up.</summary>
    /// <exception cref="BenchException">There is no such script, or it failed; it needs root.</exception>
    public static async Task<Regions> UpAsync(string matrix)
    {
        var script = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(matrix))!, "regions");
        if (!File.Exists(script) || !File.Exists(matrix))
        {
            throw new BenchException($"{(File.Exists(matrix) ? script : matrix)} is not there: a matrix of round trips is wanted, and beside it the script 'regions' that brings such a network up.");
        }

        var regions = new Regions(script);
        Environment.SetEnvironmentVariable("REGIONS_NET", Net); // of all that is started from here
        await Programs.RunAsync(script, ["up", matrix]);
        foreach (var line in (await Programs.RunAsync(script, ["list"])).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            regions._all[words[0]] = (words[0], words[1]);
        }

        return regions;
    }

    /// <summary>A region's address for the others.</summary>
    public string AddressOf(string region) => Of(region).Address;

    /// <summary>For sockets of this process.</summary>
    public Network NetworkOf(string region) => Network.Of($"/run/netns/{Net}-{Of(region).Name}");

    /// <summary>The program and its arguments that run a command in a region.</summary>
    /// <remarks>What the script's <c>exec</c> does, without asking the network's router whether it is there: it takes one question at a time, and many processes begin at once.</remarks>
    public (string Program, string[] Arguments) Exec(string region, params string[] command) => ("nsenter", [$"--net=/run/netns/{Net}-{Of(region).Name}", "--", .. command]);

    /// <summary>Takes the network down, and ends what still runs there.</summary>
    public async ValueTask DisposeAsync() => await Programs.RunAsync(_script, ["down"]);

    private (string Name, string Address) Of(string region) => _all.TryGetValue(region, out var found)
        ? found
        : throw new BenchException($"The matrix has no region '{region}'; it has {string.Join(", ", _all.Keys)}.");
}
