using System.Reflection;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Regions as network namespaces with the delays of a wide-area network between them, by the script <c>regions</c>: one node in each, etcd and the clients in two more.</summary>
/// <remarks>Whoever uses it must run in the clients' namespace: <see cref="EnterAsync"/>.</remarks>
internal sealed class RegionsNetwork : ProcessNetwork
{
    private const string Marker = "RS_CHAOS_INSIDE";
    private const string ClientRegion = "CLIENT";
    private const string EtcdRegion = "ETCD";

    private static readonly SemaphoreSlim _one = new(1);
    private static readonly string[] _names = ["ENAM", "WEUR", "APAC", "WNAM", "EEUR", "OC"];

    // As the matrix numbers them.
    private static readonly string[] _numbered = ["ENAM", "WNAM", "WEUR", "EEUR", "APAC", "OC", EtcdRegion, ClientRegion];

    private static string Script { get; } = Environment.GetEnvironmentVariable("REGIONS_SCRIPT")
        ?? Path.GetFullPath(Path.Combine(typeof(RegionsNetwork).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!, "..", "shared", "net", "regions"));

    /// <summary>Why it cannot be used here; null where it can.</summary>
    public static string? Missing { get; } =
        !Environment.IsPrivilegedProcess ? "Simulated regions need root."
        : !File.Exists("/dev/net/tun") ? "Simulated regions need /dev/net/tun."
        : !File.Exists(Script) ? $"Simulated regions need the script 'regions'; {Script} is not there (REGIONS_SCRIPT names another place)."
        : null;

    public override string EtcdAddress => Address(EtcdRegion);

    public override IReadOnlyList<string> EtcdLauncher => Inside(EtcdRegion);

    public override bool CanCut => true;

    /// <summary>The network, when this process is in it; else starts the network and this program again inside, with the same arguments, and gives its exit code.</summary>
    public static async Task<(RegionsNetwork? Network, int Code)> EnterAsync(string[] arguments, Action<string> say)
    {
        if (Environment.GetEnvironmentVariable(Marker) is not null)
        {
            return (new RegionsNetwork(), 0);
        }

        if (Missing is { } missing)
        {
            throw new InvalidOperationException(missing);
        }

        var network = $"rs{Environment.ProcessId}";
        Environment.SetEnvironmentVariable("REGIONS_NET", network);
        var matrix = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(matrix, await MatrixAsync());
            await RunAsync("up", matrix);
            var program = Path.Combine(AppContext.BaseDirectory, "ReplicatedSqlite.EndToEnd.dll");
            using var inside = System.Diagnostics.Process.Start(
                new System.Diagnostics.ProcessStartInfo(Script, ["exec", ClientRegion, "env", $"{Marker}=1", "dotnet", program, .. arguments]) { RedirectStandardOutput = true })!;
            inside.OutputDataReceived += (_, line) =>
            {
                if (line.Data is { } text)
                {
                    say(text);
                }
            };
            inside.BeginOutputReadLine();
            await inside.WaitForExitAsync();
            return (null, inside.ExitCode);
        }
        finally
        {
            await RunAsync("down"); // also of a network that came up in part
            File.Delete(matrix);
            var regions = $"/run/regions/{network}.lock";
            File.Delete(regions);
        }
    }

    public override string RegionOf(int node) => _names[node].ToLowerInvariant();

    public override string AddressOf(int node) => Address(_names[node]);

    public override IReadOnlyList<string> LauncherOf(int node) => Inside(_names[node]);

    public override Task CutAsync(int from, int to, bool oneWay) => RunAsync(["partition", NameOf(from), NameOf(to), .. oneWay ? new[] { "oneway" } : []]);

    public override Task LosePacketsAsync(int from, int to, int percent) => RunAsync("loss", NameOf(from), NameOf(to), $"{percent}");

    public override Task HealAsync(int from, int to) => RunAsync("heal", NameOf(from), NameOf(to));

    public override Task HealAsync() => RunAsync("heal");

    // What the script's `exec` does, without asking the network whether it is there: its router takes one question at a time.
    private static string[] Inside(string region) => ["nsenter", $"--net=/run/netns/{Environment.GetEnvironmentVariable("REGIONS_NET")}-{region}", "--"];

    private static string NameOf(int place) => place == Etcd ? EtcdRegion : _names[place];

    private static string Address(string name) => $"10.77.{Array.IndexOf(_numbered, name) + 1}.1";

    // etcd stands somewhere between them; clients stand beside every node.
    private static async Task<string> MatrixAsync()
    {
        var matrix = new System.Text.StringBuilder(await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(Script)!, "cloudflare.matrix")));
        matrix.AppendLine().AppendLine($"region {EtcdRegion}").AppendLine($"region {ClientRegion}").AppendLine($"rtt {ClientRegion} {EtcdRegion} 0");
        foreach (var name in _names)
        {
            matrix.AppendLine($"rtt {EtcdRegion} {name} 20").AppendLine($"rtt {ClientRegion} {name} 0");
        }

        return matrix.ToString();
    }

    // One after the other; and again, since a question that meets another one's end is lost.
    private static async Task RunAsync(params string[] arguments)
    {
        await _one.WaitAsync();
        try
        {
            for (var tries = 1; ; tries++)
            {
                var (code, _, errors) = await RsqlProcess.RunAsync(Script, arguments);
                if (code == 0)
                {
                    return;
                }

                if (tries == 20)
                {
                    throw new InvalidOperationException($"regions {string.Join(' ', arguments)} ended with {code}: {errors}");
                }

                await Task.Delay(20 * tries); // its router waits for a question no longer than a busy machine lets one wait
            }
        }
        finally
        {
            _one.Release();
        }
    }
}
