using System.Diagnostics;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The etcd of a cluster whose nodes are processes of their own: one member, not on the path of any query.</summary>
internal sealed class EtcdProcess : IAsyncDisposable
{
    /// <summary>What is wanted where it is missing.</summary>
    public const string Missing = "there is no 'etcd' on the PATH (Debian: apt-get install etcd-server)";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private EtcdProcess(Process process, Uri endpoint) => (_process, Endpoint) = (process, endpoint);

    public static bool IsThere => Programs.Find("etcd") is not null;

    /// <summary>Where the nodes find it.</summary>
    public Uri Endpoint { get; }

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="folder">For its data; the caller deletes it.</param>
    /// <param name="regions">It runs in one of them…</param>
    /// <param name="region">…which is this.</param>
    public static async Task<EtcdProcess> StartAsync(string folder, Regions? regions, string region)
    {
        if (!IsThere)
        {
            throw new BenchException($"Nodes as processes of their own need etcd, and {EtcdProcess.Missing}.");
        }

        int[] ports = regions is null ? FreePorts.Take(2) : [2379, 2380];
        var address = regions?.AddressOf(region) ?? "127.0.0.1";
        var (clients, peers) = ($"http://{address}:{ports[0]}", $"http://{address}:{ports[1]}");
        string[] command =
        [
            "etcd", "--data-dir", Path.Combine(folder, "etcd"), "--listen-client-urls", clients, "--advertise-client-urls", clients, "--listen-peer-urls", peers,
            "--initial-advertise-peer-urls", peers, "--initial-cluster", $"default={peers}", "--unsafe-no-fsync", "--log-level", "error",
        ];
        var (program, arguments) = regions?.Exec(region, command) ?? (command[0], command[1..]);
        var log = Path.Combine(folder, "etcd.log");
        var etcd = new EtcdProcess(Programs.Begin(program, arguments, log), new Uri(clients));
        using var handler = new SocketsHttpHandler();
        (regions?.NetworkOf(region) ?? Network.Own).Configure(handler);
        using var http = new HttpClient(handler);
        try
        {
            await Programs.UntilAsync(() => AnswersAsync(http, etcd, log), "etcd answers", _patience);
            return etcd;
        }
        catch
        {
            await etcd.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await Programs.EndAsync(_process, kill: true);

    private static async Task<bool> AnswersAsync(HttpClient http, EtcdProcess etcd, string log)
    {
        if (etcd._process.HasExited)
        {
            throw new BenchException($"etcd did not start: {await File.ReadAllTextAsync(log)}");
        }

        try
        {
            return (await http.GetStringAsync(new Uri(etcd.Endpoint, "/health"))).Contains("true", StringComparison.Ordinal);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
