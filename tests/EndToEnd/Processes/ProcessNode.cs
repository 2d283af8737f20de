using System.Text.Json.Nodes;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>One node of a <see cref="ProcessCluster"/>: its place, folder and ports stay the same however often its process starts.</summary>
internal sealed class ProcessNode : IAsyncDisposable
{
    private static readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };

    private readonly string _configFile;
    private readonly List<string> _errors = []; // of the processes that have ended
    private NodeProcess? _process;
    private ReplicatedSqliteClient? _client;
    private GrpcChannel? _channel;

    /// <param name="number">Its place in the cluster.</param>
    /// <param name="folder">Holds its data and its configuration.</param>
    /// <param name="address">Where others find it.</param>
    /// <param name="settings">Of the configuration file; what is missing is put in.</param>
    /// <param name="grpcPort">A free one.</param>
    /// <param name="httpPort">A free one.</param>
    public ProcessNode(int number, string folder, string address, JsonObject settings, int grpcPort, int httpPort)
    {
        Number = number;
        Folder = Path.Combine(folder, $"n{number}");
        settings["node_id"] ??= Id;
        settings["data"] ??= Folder;
        settings["listen"] ??= new JsonObject { ["address"] = address, ["grpc_port"] = grpcPort, ["http_port"] = httpPort };
        settings["log"] ??= new JsonObject { ["level"] = "information" };
        Address = address;
        Region = (string)settings["region"]!;
        var scheme = settings["tls"] is null ? "http" : "https";
        GrpcAddress = new Uri($"{scheme}://{Address}:{grpcPort}");
        HttpAddress = new Uri($"{scheme}://{Address}:{httpPort}");
        Settings = settings;
        _configFile = Path.Combine(folder, $"n{number}.json");
    }

    /// <summary>Its place in the cluster.</summary>
    public int Number { get; }

    /// <summary>As the others know it.</summary>
    public string Id => $"n{Number}";

    public string Region { get; }

    public string Address { get; }

    /// <summary>Its data folder.</summary>
    public string Folder { get; }

    public Uri GrpcAddress { get; }

    public Uri HttpAddress { get; }

    /// <summary>Of its configuration file; read at its next start.</summary>
    public JsonObject Settings { get; }

    /// <summary>What starts the process, with arguments before it, e.g. <c>ip netns exec NAME</c>; used at its next start.</summary>
    public IReadOnlyList<string> Launcher { get; set; } = [];

    /// <summary>Variables in addition; used at its next start.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>Of <see cref="Client"/>, before it is asked for.</summary>
    public ReplicatedSqliteClientOptions ClientOptions { get; set; } = new();

    /// <summary>The process that runs now.</summary>
    public NodeProcess Process => _process ?? throw new InvalidOperationException($"Node {Id} was not started.");

    /// <summary>A client of it. Its connections outlive restarts.</summary>
    public ReplicatedSqliteClient Client => _client ??= new ReplicatedSqliteClient(GrpcAddress.ToString(), ClientOptions);

    /// <summary>The bare way to it.</summary>
    public GrpcChannel Channel => LazyInitializer.EnsureInitialized(ref _channel, () => new GrpcChannel(GrpcAddress, new GrpcChannelOptions { ConnectTimeout = TimeSpan.FromSeconds(2) }));

    /// <summary>Everything that its processes have logged.</summary>
    public string Log => string.Join('\n', _errors.Append(_process?.Errors ?? ""));

    /// <summary>Starts the process, and waits for nothing.</summary>
    public void Begin()
    {
        File.WriteAllText(_configFile, Settings.ToJsonString());
        if (_process is not null)
        {
            _errors.Add(_process.Errors);
        }

        _process = NodeProcess.Begin(["node", "--config", _configFile], Launcher, Environment);
    }

    /// <summary>Starts the process, and waits until it takes calls.</summary>
    public async Task StartAsync()
    {
        Begin();
        await Process.ReadyAsync();
    }

    /// <summary>Asks <c>/health/live</c> or <c>/health/ready</c>.</summary>
    /// <returns>The status; 0 if there is no answer.</returns>
    public async Task<int> HealthAsync(string which)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(HttpAddress, $"/health/{which}"));
            return (int)answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return 0;
        }
    }

    /// <summary>SIGKILL, and the end of the process.</summary>
    public Task KillAsync() => Process.KillAsync();

    /// <summary>SIGSTOP: it stands still, with all its connections open.</summary>
    public Task FreezeAsync() => Process.SendAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ThawAsync() => Process.SendAsync("CONT");

    /// <summary>SIGTERM, and the end of the process.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> StopAsync() => Process.SignalAsync("TERM");

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        if (_channel is not null)
        {
            await _channel.DisposeAsync();
        }

        if (_process is not null)
        {
            _errors.Add(_process.Errors);
            await _process.DisposeAsync();
        }

        (_client, _channel, _process) = (null, null, null);
    }
}
