using System.Globalization;
using System.Text.Json;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>libSQL's server with one replica, over its HTTP API.</summary>
internal sealed class SqldPeer : Peer
{
    private readonly PeerProcesses _processes;
    private readonly Uri _primary;
    private readonly Uri _replica;

    private SqldPeer(PeerProcesses processes, Uri primary, Uri replica) => (_processes, _primary, _replica) = (processes, primary, replica);

    public override string Name => "sqld, HTTP";

    public override string Difference => "a primary and a replica; a write is answered before it is on any disk, so its rates are those of another promise; own writes at the replica by asking again until they show";

    /// <summary>Starts both.</summary>
    /// <exception cref="PeerMissingException">No binary is named.</exception>
    public static async Task<SqldPeer> StartAsync(string folder)
    {
        if (Environment.GetEnvironmentVariable("SQLD") is not { Length: > 0 } program || !File.Exists(program))
        {
            throw new PeerMissingException("SQLD does not name its server's binary");
        }

        var ports = FreePorts.Take(3);
        string At(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        var (primary, replica) = (new Uri($"http://{At(ports[0])}/v2/pipeline"), new Uri($"http://{At(ports[1])}/v2/pipeline"));
        var processes = new PeerProcesses(folder);
        using var http = new HttpConnection();
        try
        {
            processes.Begin(program, "-d", Path.Combine(folder, "primary"), "--http-listen-addr", At(ports[0]), "--grpc-listen-addr", At(ports[2]), "--no-welcome");
            await processes.UntilAsync(async () => (await AskAsync(http, primary, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)", [])).ValueKind == JsonValueKind.Object, "sqld answers");
            processes.Begin(program, "-d", Path.Combine(folder, "replica"), "--http-listen-addr", At(ports[1]), "--primary-grpc-url", $"http://{At(ports[2])}", "--no-welcome");
            await processes.UntilAsync(async () => (await AskAsync(http, replica, "SELECT count(*) FROM t", [])).ValueKind == JsonValueKind.Object, "sqld's replica answers");
            return new SqldPeer(processes, primary, replica);
        }
        catch
        {
            await processes.DisposeAsync();
            throw;
        }
    }

    public override Task<PeerConnection> ConnectAsync(int caller) => Task.FromResult<PeerConnection>(new Connection(_primary, _replica));

    public override async Task<long> CountAsync()
    {
        using var http = new HttpConnection();
        var (last, now) = (-1L, 0L);
        await Programs.UntilAsync(
            async () =>
            {
                var wanted = Number(await AskAsync(http, _primary, "SELECT count(*) FROM t", []));
                (last, now) = (wanted, Number(await AskAsync(http, _replica, "SELECT count(*) FROM t", [])));
                return last == now;
            },
            "sqld's replica has caught up");
        return now;
    }

    public override ValueTask DisposeAsync() => _processes.DisposeAsync();

    private static long Number(JsonElement result) => long.Parse(result.GetProperty("rows")[0][0].GetProperty("value").GetString()!, CultureInfo.InvariantCulture);

    private static async Task<JsonElement> AskAsync(HttpConnection http, Uri address, string sql, object[] arguments, int times = 1)
    {
        var statement = new { sql, args = arguments };
        object one = times == 1
            ? new { type = "execute", stmt = statement }
            : new { type = "batch", batch = new { steps = Enumerable.Range(0, times + 2).Select(i => new { stmt = i == 0 ? new { sql = "BEGIN", args = Array.Empty<object>() } : i > times ? new { sql = "COMMIT", args = Array.Empty<object>() } : statement }) } };
        var answer = await http.PostAsync(address, JsonSerializer.Serialize(new { requests = new[] { one, new { type = "close" } } }));
        var result = answer.GetProperty("results")[0];
        return result.GetProperty("type").GetString() == "ok" ? result.GetProperty("response").GetProperty("result") : throw new BenchException($"sqld: {result}");
    }

    private sealed class Connection(Uri primary, Uri replica) : HttpPeerConnection
    {
        private const string Insert = "INSERT INTO t (v) VALUES (?)";

        public override async Task<long> InsertAsync(string value) =>
            long.Parse((await AskAsync(Writes, primary, Insert, [new { type = "text", value }])).GetProperty("last_insert_rowid").GetString()!, CultureInfo.InvariantCulture);

        public override Task InsertAsync(string value, int rows) => AskAsync(Writes, primary, Insert, [new { type = "text", value }], rows);

        public override async Task<string?> ReadAsync(long id)
        {
            var rows = (await AskAsync(Reads, replica, "SELECT v FROM t WHERE id = ?", [new { type = "integer", value = id.ToString(CultureInfo.InvariantCulture) }])).GetProperty("rows");
            return rows.GetArrayLength() == 0 ? null : rows[0][0].GetProperty("value").GetString();
        }
    }
}
