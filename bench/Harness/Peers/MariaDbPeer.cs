using System.Globalization;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>MariaDB with one replica that acknowledges before a commit is answered, and waits by GTID.</summary>
internal sealed class MariaDbPeer : Peer
{
    private const string User = "r";

    private readonly PeerProcesses _processes;
    private readonly string _version;
    private readonly int[] _ports;

    private MariaDbPeer(PeerProcesses processes, string version, int[] ports) => (_processes, _version, _ports) = (processes, version, ports);

    public override string Name => $"MariaDB {_version}, text protocol";

    public override string Difference =>
        "sync_binlog=1, innodb_flush_log_at_trx_commit=1, semi-synchronous: the replica has received a commit when it is answered, but not synced it; own writes by MASTER_GTID_WAIT; statements are sent as text";

    /// <summary>Makes and starts both servers.</summary>
    /// <exception cref="PeerMissingException">It is not installed.</exception>
    public static async Task<MariaDbPeer> StartAsync(string folder)
    {
        var server = Programs.Find("mariadbd") ?? (File.Exists("/usr/sbin/mariadbd") ? "/usr/sbin/mariadbd" : null);
        if (server is null || Programs.Find("mariadb-install-db") is null || Programs.Find("mariadb") is null)
        {
            throw new PeerMissingException("MariaDB is not installed (Debian: apt-get install mariadb-server)");
        }

        var version = (await Programs.RunAsync(server, ["--version"])).Split("Ver ")[1].Split('-')[0];
        var processes = new PeerProcesses(folder, "mysql");
        await processes.PrepareAsync();
        var peer = new MariaDbPeer(processes, version, FreePorts.Take(2));
        try
        {
            await peer.StartNodesAsync(server);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public override async Task<PeerConnection> ConnectAsync(int caller) => await OpenAsync();

    public override async Task<long> CountAsync()
    {
        await using var connection = await OpenAsync();
        return await connection.CountAsync();
    }

    public override ValueTask DisposeAsync() => _processes.DisposeAsync();

    private async Task StartNodesAsync(string server)
    {
        for (var n = 0; n < 2; n++)
        {
            var data = Path.Combine(_processes.Folder, Text(n));
            await _processes.RunAsync("mariadb-install-db", "--no-defaults", $"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-use-native-aio=0");
            _processes.Begin(
                server, "--no-defaults", $"--datadir={data}", $"--socket={SocketOf(n)}", $"--pid-file={data}.pid", "--bind-address=127.0.0.1", $"--port={_ports[n]}", $"--server-id={n + 1}", "--log-bin=b",
                "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", "--binlog-format=ROW", "--gtid-strict-mode=1", "--log-slave-updates", "--slave-parallel-threads=4", "--innodb-buffer-pool-size=256M",
                "--max-connections=200", "--skip-name-resolve", "--innodb-use-native-aio=0", n == 0 ? "--rpl-semi-sync-master-enabled=ON" : "--rpl-semi-sync-slave-enabled=ON", "--rpl-semi-sync-master-timeout=30000");
        }

        for (var n = 0; n < 2; n++)
        {
            var node = n;
            await _processes.UntilAsync(async () => (await AskAsync(node, "SELECT 1")).Trim() == "1", "MariaDB answers");
        }

        await AskAsync(0, $"CREATE USER {User}@'127.0.0.1' IDENTIFIED BY '{User}'; GRANT ALL ON *.* TO {User}@'127.0.0.1'");
        await AskAsync(
            1,
            $"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={_ports[0]}, MASTER_USER='{User}', MASTER_PASSWORD='{User}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1; START SLAVE");
        await AskAsync(0, "CREATE DATABASE d; CREATE TABLE d.t (id bigint AUTO_INCREMENT PRIMARY KEY, v text NOT NULL)");
        await _processes.UntilAsync(async () => (await AskAsync(0, "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'")).Trim().EndsWith("\t1", StringComparison.Ordinal), "MariaDB's replica acknowledges");
        await _processes.UntilAsync(async () => (await AskAsync(1, "SELECT count(*) FROM d.t")).Trim() == "0", "MariaDB's replica has the table");
    }

    private async Task<Connection> OpenAsync() => new(await MySqlWire.OpenAsync(_ports[0], User, User, "d"), await MySqlWire.OpenAsync(_ports[1], User, User, "d"));

    private Task<string> AskAsync(int node, string sql) => _processes.RunAsync("mariadb", "--no-defaults", "-S", SocketOf(node), "-u", "root", "-N", "-e", sql);

    private string SocketOf(int node) => Path.Combine(_processes.Folder, $"{Text(node)}.sock");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class Connection(MySqlWire primary, MySqlWire replica) : PeerConnection
    {
        private string _mark = "";

        public override async Task<long> InsertAsync(string value)
        {
            await primary.ExecuteAsync($"INSERT INTO t (v) VALUES ('{value}')"); // our own values: letters, digits, spaces
            return primary.LastInsertId;
        }

        public override Task InsertAsync(string value, int rows) => primary.ExecuteAsync($"INSERT INTO t (v) VALUES {string.Join(',', Enumerable.Repeat($"('{value}')", rows))}");

        public override Task<string?> ReadAsync(long id) => replica.ExecuteAsync($"SELECT v FROM t WHERE id = {Text(id)}");

        public override async Task MarkAsync() => _mark = (await primary.ExecuteAsync("SELECT @@last_gtid"))!;

        public override async Task<string?> ReadOwnAsync(long id)
        {
            await WaitAsync();
            return await ReadAsync(id);
        }

        public async Task<long> CountAsync()
        {
            _mark = (await primary.ExecuteAsync("SELECT @@gtid_binlog_pos"))!;
            await WaitAsync();
            return long.Parse((await replica.ExecuteAsync("SELECT count(*) FROM t"))!, CultureInfo.InvariantCulture);
        }

        public override async ValueTask DisposeAsync()
        {
            await primary.DisposeAsync();
            await replica.DisposeAsync();
        }

        private async Task WaitAsync()
        {
            const int Seconds = 60;
            if (await replica.ExecuteAsync($"SELECT MASTER_GTID_WAIT('{_mark}', {Seconds})") != "0")
            {
                throw new BenchException($"MariaDB's replica did not reach {_mark} in {Seconds} s.");
            }
        }
    }
}
