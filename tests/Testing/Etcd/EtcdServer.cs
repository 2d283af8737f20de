using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Testing;

/// <summary>A real etcd on free loopback ports, in a temporary folder that goes with it: of one member, or one of several (<see cref="EtcdMembers"/>).</summary>
public sealed class EtcdServer : IAsyncDisposable
{
    /// <summary>Why tests that need it are skipped where it is missing.</summary>
    public const string Missing = "There is no 'etcd' on this machine's PATH (Debian: apt-get install etcd-server etcd-client).";

    private static readonly TimeSpan _startPatience = TimeSpan.FromSeconds(60);
    private static readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(1) };

    private readonly TemporaryFolder _folder = new();
    private readonly string[] _arguments;
    private readonly Uri _peers;
    private readonly IReadOnlyList<string> _launcher;
    private Process? _process;
    private string _data = "data";

    private EtcdServer(Uri endpoint, Uri peers, string[] arguments, IReadOnlyList<string> launcher) => (Endpoint, _peers, _arguments, _launcher) = (endpoint, peers, arguments, launcher);

    /// <summary>Whether there is one to start.</summary>
    public static bool IsThere { get; } = Find("etcd") && Find("etcdctl");

    /// <summary>Where clients find it. It stays the same over restarts.</summary>
    public Uri Endpoint { get; }

    /// <summary>Starts one and waits until it answers.</summary>
    /// <param name="scheme">http or https.</param>
    /// <param name="arguments">Further ones.</param>
    public static Task<EtcdServer> StartAsync(string scheme = "http", params string[] arguments) => StartAtAsync("127.0.0.1", [], scheme, arguments);

    /// <summary>The same at another address.</summary>
    /// <param name="address">Where it listens.</param>
    /// <param name="launcher">What starts it there, with arguments before it; it gives way to it.</param>
    /// <param name="scheme">http or https.</param>
    /// <param name="arguments">Further ones.</param>
    public static async Task<EtcdServer> StartAtAsync(string address, IReadOnlyList<string> launcher, string scheme = "http", params string[] arguments)
    {
        var ports = FreePorts.Take(2);
        var server = new EtcdServer(new Uri($"{scheme}://{address}:{ports[0]}"), new Uri($"http://{address}:{ports[1]}"), arguments, launcher);
        await server.StartAsync();
        return server;
    }

    // One of several, which answers when most of them run.
    internal static EtcdServer Member(int number, Uri endpoint, IReadOnlyList<Uri> peers) => new(
        endpoint, peers[number], ["--name", $"m{number}", "--initial-cluster", string.Join(',', peers.Select((peer, i) => $"m{i}={Bare(peer)}"))], []);

    /// <summary>Starts it again, with the data it has.</summary>
    public async Task StartAsync()
    {
        string[] arguments =
        [
            "--data-dir", Path(_data), "--listen-client-urls", Bare(Endpoint), "--advertise-client-urls", Bare(Endpoint), "--listen-peer-urls", Bare(_peers),
            "--initial-advertise-peer-urls", Bare(_peers), "--initial-cluster", $"default={Bare(_peers)}", "--unsafe-no-fsync", "--heartbeat-interval", "20", "--election-timeout", "200", "--bcrypt-cost", "4",
            .. _arguments,
        ];
        _process = Launch([.. _launcher, "etcd"], arguments, Path("log"));
        var start = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (_process.HasExited || start.Elapsed > _startPatience)
            {
                throw new InvalidOperationException($"etcd did not start:\n{await File.ReadAllTextAsync(Path("log"))}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Kills it.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Stops it in the middle of whatever it does, or lets it go on.</summary>
    public Task SignalAsync(string signal) => RunAsync("kill", $"-{signal}", $"{_process!.Id}");

    /// <summary>Takes a backup of it.</summary>
    public Task SaveSnapshotAsync(string name) => ControlAsync("snapshot", "save", Path(name));

    /// <summary>Brings it back from a backup. It is down before, and after.</summary>
    public async Task RestoreSnapshotAsync(string name)
    {
        _data = $"data from {name}";
        await RunAsync(
            "etcdctl", "snapshot", "restore", Path(name), "--data-dir", Path(_data), "--name", "default", "--initial-cluster", $"default={Bare(_peers)}",
            "--initial-advertise-peer-urls", Bare(_peers));
    }

    /// <summary>It begins with nothing the next time. It is down.</summary>
    public void Wipe() => _data = "data after a wipe";

    /// <summary>Runs <c>etcdctl</c> on it.</summary>
    public Task ControlAsync(params string[] arguments) => RunAsync("etcdctl", ["--endpoints", Bare(Endpoint), .. arguments]);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Dispose();
    }

    private static string Bare(Uri address) => address.GetLeftPart(UriPartial.Authority); // etcd wants no path

    private string Path(string name) => System.IO.Path.Combine(_folder.Path, name);

    private async Task<bool> AnswersAsync()
    {
        if (Endpoint.Scheme == "https")
        {
            return File.Exists(Path("log")) && (await File.ReadAllTextAsync(Path("log"))).Contains("serving client requests on", StringComparison.Ordinal);
        }

        try
        {
            return (await _http.GetStringAsync(new Uri(Endpoint, "/health"))).Contains("true", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private static bool Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => folder.Length > 0 && File.Exists(System.IO.Path.Combine(folder, name)));

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var log = System.IO.Path.GetTempFileName();
        using var process = Launch([program], arguments, log);
        await process.WaitForExitAsync();
        var said = await File.ReadAllTextAsync(log);
        File.Delete(log);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {said}");
        }
    }

    // The shell gives way to the program, whose output goes to a file: nobody has to read a pipe.
    private static Process Launch(IReadOnlyList<string> program, string[] arguments, string log)
    {
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log } };
        foreach (var argument in program.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["ETCDCTL_API"] = "3";
        start.Environment["ETCD_UNSUPPORTED_ARCH"] = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "";
        return Process.Start(start)!;
    }
}
