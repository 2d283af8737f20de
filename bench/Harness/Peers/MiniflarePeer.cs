using System.Globalization;
using System.Text.Json;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Cloudflare's own simulator of D1, miniflare, behind a worker that inserts and reads.</summary>
internal sealed class MiniflarePeer : Peer
{
    private readonly PeerProcesses _processes;
    private readonly string _version;
    private readonly Uri _address;

    private MiniflarePeer(PeerProcesses processes, string version, Uri address) => (_processes, _version, _address) = (processes, version, address);

    public override string Name => $"miniflare {_version}, a worker's D1 over HTTP";

    public override string Difference => "the simulator that Cloudflare gives to developers: one copy, no replica; it says nothing about D1 itself, whose servers nobody else can run";

    public override bool HasReadYourWrites => false; // one copy

    /// <summary>Starts it.</summary>
    /// <exception cref="PeerMissingException">It is not installed.</exception>
    public static async Task<MiniflarePeer> StartAsync(string folder)
    {
        var packages = Environment.GetEnvironmentVariable("MINIFLARE");
        if (Programs.Find("node") is null || packages is null || !Directory.Exists(Path.Combine(packages, "miniflare")))
        {
            throw new PeerMissingException("MINIFLARE does not name a node_modules folder with miniflare, or there is no 'node' (npm install miniflare, then MINIFLARE=$PWD/node_modules)");
        }

        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(packages, "miniflare", "package.json")));
        var port = FreePorts.Take(1)[0];
        var processes = new PeerProcesses(folder);
        try
        {
            var script = Path.Combine(AppContext.BaseDirectory, "peers", "miniflare.mjs");
            processes.Begin("node", script, Path.Combine(packages, "miniflare", "dist", "src", "index.js"), folder, port.ToString(CultureInfo.InvariantCulture));
            var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
            using var http = new HttpConnection();
            await processes.UntilAsync(async () => (await http.PostAsync(new Uri(address, "count"), "{}")).GetProperty("rows").GetInt64() == 0, "miniflare answers");
            return new MiniflarePeer(processes, manifest.RootElement.GetProperty("version").GetString()!, address);
        }
        catch
        {
            await processes.DisposeAsync();
            throw;
        }
    }

    public override Task<PeerConnection> ConnectAsync(int caller) => Task.FromResult<PeerConnection>(new Connection(_address));

    public override async Task<long> CountAsync()
    {
        using var http = new HttpConnection();
        return (await http.PostAsync(new Uri(_address, "count"), "{}")).GetProperty("rows").GetInt64();
    }

    public override ValueTask DisposeAsync() => _processes.DisposeAsync();

    private sealed class Connection(Uri address) : PeerConnection
    {
        private readonly HttpConnection _http = new();
        private readonly Uri _insert = new(address, "insert");
        private readonly Uri _read = new(address, "read");

        public override async Task<long> InsertAsync(string value) => (await _http.PostAsync(_insert, JsonSerializer.Serialize(new { v = value, rows = 1 }))).GetProperty("id").GetInt64();

        public override Task InsertAsync(string value, int rows) => _http.PostAsync(_insert, JsonSerializer.Serialize(new { v = value, rows }));

        public override async Task<string?> ReadAsync(long id) => (await _http.PostAsync(_read, JsonSerializer.Serialize(new { id }))).GetProperty("v").GetString();

        public override Task<string?> ReadOwnAsync(long id) => ReadAsync(id);

        public override ValueTask DisposeAsync()
        {
            _http.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
