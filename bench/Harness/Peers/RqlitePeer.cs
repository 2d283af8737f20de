using System.Globalization;
using System.Text.Json;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>rqlite with three nodes, over its HTTP API.</summary>
internal sealed class RqlitePeer : Peer
{
    private readonly PeerProcesses _processes;
    private readonly Uri _leader;
    private readonly Uri _follower;

    private RqlitePeer(PeerProcesses processes, Uri leader, Uri follower) => (_processes, _leader, _follower) = (processes, leader, follower);

    public override string Name => "rqlite, HTTP";

    public override string Difference => "three nodes, so a write is on two disks when it is answered; reads of a follower with level=none, own writes there by asking again until they show";

    /// <summary>Starts three nodes.</summary>
    /// <exception cref="PeerMissingException">No binary is named.</exception>
    public static async Task<RqlitePeer> StartAsync(string folder)
    {
        if (Environment.GetEnvironmentVariable("RQLITED") is not { Length: > 0 } program || !File.Exists(program))
        {
            throw new PeerMissingException("RQLITED does not name its server's binary");
        }

        const int Nodes = 3;
        var ports = FreePorts.Take(Nodes * 2);
        string At(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        var processes = new PeerProcesses(folder);
        using var http = new HttpConnection();
        try
        {
            for (var i = 0; i < Nodes; i++)
            {
                var own = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"n{i}"));
                string[] join = i == 0 ? [] : ["-join", At(ports[1])];
                processes.Begin(program, [.. (string[])["-node-id", string.Create(CultureInfo.InvariantCulture, $"n{i}"), "-http-addr", At(ports[i * 2]), "-raft-addr", At(ports[(i * 2) + 1])], .. join, own]);
                var address = new Uri($"http://{At(ports[i * 2])}/db/execute");
                await processes.UntilAsync(
                    async () => !(await http.PostAsync(address, """["CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)"]""")).GetProperty("results")[0].TryGetProperty("error", out _), "rqlite answers");
            }

            return new RqlitePeer(processes, new Uri($"http://{At(ports[0])}/"), new Uri($"http://{At(ports[4])}/"));
        }
        catch
        {
            await processes.DisposeAsync();
            throw;
        }
    }

    public override Task<PeerConnection> ConnectAsync(int caller) => Task.FromResult<PeerConnection>(new Connection(_leader, _follower));

    public override async Task<long> CountAsync()
    {
        using var http = new HttpConnection();
        return (await http.PostAsync(new Uri(_follower, "db/query?level=strong"), """["SELECT count(*) FROM t"]""")).GetProperty("results")[0].GetProperty("values")[0][0].GetInt64();
    }

    public override ValueTask DisposeAsync() => _processes.DisposeAsync();

    private sealed class Connection(Uri leader, Uri follower) : HttpPeerConnection
    {
        private readonly Uri _execute = new(leader, "db/execute");
        private readonly Uri _query = new(follower, "db/query?level=none");

        public override async Task<long> InsertAsync(string value) => (await ExecuteAsync(value, 1))[0].GetProperty("last_insert_id").GetInt64();

        public override Task InsertAsync(string value, int rows) => ExecuteAsync(value, rows);

        public override async Task<string?> ReadAsync(long id)
        {
            var result = (await Reads.PostAsync(_query, JsonSerializer.Serialize(new object[][] { ["SELECT v FROM t WHERE id = ?", id] }))).GetProperty("results")[0];
            return result.TryGetProperty("values", out var values) ? values[0][0].GetString() : null;
        }

        private async Task<JsonElement> ExecuteAsync(string value, int rows)
        {
            var statements = Enumerable.Repeat<object[]>(["INSERT INTO t (v) VALUES (?)", value], rows).ToArray();
            var results = (await Writes.PostAsync(rows > 1 ? new Uri(_execute, "?transaction") : _execute, JsonSerializer.Serialize(statements))).GetProperty("results");
            return results[0].TryGetProperty("error", out var error) ? throw new BenchException($"rqlite: {error}") : results;
        }
    }
}
