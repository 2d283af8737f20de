using System.Globalization;
using Npgsql;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>PostgreSQL with one synchronous streaming replica, through Npgsql, and by pgbench.</summary>
internal sealed class PostgresPeer : Peer
{
    private readonly PeerProcesses _processes;
    private readonly string _bin;
    private readonly string _version;
    private readonly int[] _ports;
    private readonly NpgsqlDataSource _primary;
    private readonly NpgsqlDataSource _replica;
    private bool _isCreated;

    private PostgresPeer(PeerProcesses processes, string bin, string version, int[] ports)
    {
        (_processes, _bin, _version, _ports) = (processes, bin, version, ports);
        _primary = SourceOf(ports[0]);
        _replica = SourceOf(ports[1]);
    }

    public override string Name => $"PostgreSQL {_version}, Npgsql";

    public override string Difference =>
        "synchronous_commit=on with one streaming replica, so a commit is on two disks when it is answered, as with our quorum of 2 of 3; reads of a replica; own writes by polling its replay LSN";

    public override (string Name, Func<int, TimeSpan, Task<LoadResult>> Insert)? Tool => ($"PostgreSQL {_version}, pgbench", RunToolAsync);

    /// <summary>Makes and starts both servers.</summary>
    /// <exception cref="PeerMissingException">It is not installed.</exception>
    public static async Task<PostgresPeer> StartAsync(string folder)
    {
        var bin = FindBin() ?? throw new PeerMissingException("PostgreSQL is not installed (Debian: apt-get install postgresql-15)");
        var version = (await Programs.RunAsync(Path.Combine(bin, "postgres"), ["--version"])).Split(' ')[2].Trim();
        var processes = new PeerProcesses(folder, "postgres");
        await processes.PrepareAsync();
        var peer = new PostgresPeer(processes, bin, version, FreePorts.Take(2));
        try
        {
            await peer.StartAsync();
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public override async Task<PeerConnection> ConnectAsync(int caller) => await Connection.OpenAsync(_primary, _replica);

    public override async Task<long> CountAsync()
    {
        var connection = await Connection.OpenAsync(_primary, _replica);
        await using (connection)
        {
            await connection.MarkAsync();
            await connection.WaitAsync();
            return await connection.CountAsync();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _primary.DisposeAsync();
        await _replica.DisposeAsync();
        foreach (var node in _isCreated ? ["n2", "n1"] : Array.Empty<string>())
        {
            try
            {
                await _processes.RunAsync(Path.Combine(_bin, "pg_ctl"), "-D", Path.Combine(_processes.Folder, node), "-m", "immediate", "-w", "stop");
            }
            catch (BenchException)
            {
                // It does not run.
            }
        }

        await _processes.DisposeAsync();
    }

    private async Task StartAsync()
    {
        var (first, second) = (Path.Combine(_processes.Folder, "n1"), Path.Combine(_processes.Folder, "n2"));
        await _processes.RunAsync(Path.Combine(_bin, "initdb"), "-D", first, "-A", "trust", "-N", "-U", "postgres");
        await File.AppendAllTextAsync(
            Path.Combine(first, "postgresql.conf"),
            $"\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{_processes.Folder}'\nshared_buffers=256MB\nmax_connections=200\nwal_keep_size=1GB\nhot_standby=on\n");
        _isCreated = true;
        await ControlAsync(first, _ports[0]);
        await _processes.RunAsync(Path.Combine(_bin, "pg_basebackup"), "-h", "127.0.0.1", "-p", Text(_ports[0]), "-U", "postgres", "-D", second, "-R", "-N", "-c", "fast");
        await ControlAsync(second, _ports[1]);
        foreach (var sql in (string[])[
            "CREATE TABLE t (id bigserial PRIMARY KEY, v text NOT NULL)", "ALTER SYSTEM SET synchronous_standby_names='*'", "ALTER SYSTEM SET synchronous_commit='on'", "SELECT pg_reload_conf()"])
        {
            await using var command = _primary.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        await _processes.UntilAsync(async () => (bool)(await ScalarAsync("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))!, "the replica is synchronous");
    }

    private Task<string> ControlAsync(string data, int port) => _processes.RunAsync(
        Path.Combine(_bin, "pg_ctl"), "-D", data, "-o", $"-p {Text(port)}", "-l", Path.Combine(_processes.Folder, $"{Path.GetFileName(data)}.log"), "-w", "start");

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = _primary.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    // It counts whole seconds.
    private async Task<LoadResult> RunToolAsync(int callers, TimeSpan duration)
    {
        var script = Path.Combine(_processes.Folder, "insert.sql");
        await File.WriteAllTextAsync(script, $"INSERT INTO t (v) VALUES ('{new string('v', 100)}');\n");
        var seconds = Math.Max(1, (int)Math.Round(duration.TotalSeconds));
        var before = (long)(await ScalarAsync("SELECT count(*) FROM t"))!;
        var output = await _processes.RunAsync(
            Path.Combine(_bin, "pgbench"), "-h", "127.0.0.1", "-p", Text(_ports[0]), "-U", "postgres", "-n", "-M", "prepared", "-f", script, "-c", Text(callers), "-j", "1", "-T", Text(seconds), "postgres");
        var rate = double.Parse(output.Split('\n').First(static line => line.StartsWith("tps", StringComparison.Ordinal)).Split(' ')[2], CultureInfo.InvariantCulture);
        var inserted = (long)(await ScalarAsync("SELECT count(*) FROM t"))! - before;
        return new LoadResult(inserted, TimeSpan.FromSeconds(inserted / rate), new LatencyHistogram(), 0, 0, 0);
    }

    private static string? FindBin() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(static version => Path.Combine(version, "bin")).LastOrDefault(static bin => File.Exists(Path.Combine(bin, "initdb")))
        : Path.GetDirectoryName(Programs.Find("initdb"));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static NpgsqlDataSource SourceOf(int port) => NpgsqlDataSource.Create($"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Maximum Pool Size=150;Timeout=30;No Reset On Close=true");

    private sealed class Connection : PeerConnection
    {
        private readonly NpgsqlConnection _primary;
        private readonly NpgsqlConnection _replica;
        private readonly NpgsqlCommand _insert;
        private readonly NpgsqlCommand _read;
        private readonly NpgsqlCommand _position;
        private readonly NpgsqlCommand _reached;
        private readonly Dictionary<int, NpgsqlCommand> _batches = [];
        private string _mark = "0/0";

        private Connection(NpgsqlConnection primary, NpgsqlConnection replica)
        {
            (_primary, _replica) = (primary, replica);
            _insert = new NpgsqlCommand("INSERT INTO t (v) VALUES ($1) RETURNING id", primary) { Parameters = { new NpgsqlParameter<string>() } };
            _read = new NpgsqlCommand("SELECT v FROM t WHERE id = $1", replica) { Parameters = { new NpgsqlParameter<long>() } };
            _position = new NpgsqlCommand("SELECT pg_current_wal_insert_lsn()::text", primary);
            _reached = new NpgsqlCommand("SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", replica) { Parameters = { new NpgsqlParameter<string>() } };
        }

        public static async Task<Connection> OpenAsync(NpgsqlDataSource primary, NpgsqlDataSource replica)
        {
            var connection = new Connection(await primary.OpenConnectionAsync(), await replica.OpenConnectionAsync());
            foreach (var command in (NpgsqlCommand[])[connection._insert, connection._read, connection._position, connection._reached])
            {
                await command.PrepareAsync();
            }

            return connection;
        }

        public override async Task<long> InsertAsync(string value)
        {
            ((NpgsqlParameter<string>)_insert.Parameters[0]).TypedValue = value;
            return (long)(await _insert.ExecuteScalarAsync())!;
        }

        public override async Task InsertAsync(string value, int rows)
        {
            if (!_batches.TryGetValue(rows, out var command))
            {
                command = new NpgsqlCommand($"INSERT INTO t (v) VALUES {string.Join(", ", Enumerable.Range(1, rows).Select(static i => $"(${i})"))}", _primary);
                command.Parameters.AddRange(Enumerable.Range(0, rows).Select(static _ => new NpgsqlParameter<string>()).ToArray());
                await command.PrepareAsync();
                _batches[rows] = command;
            }

            foreach (NpgsqlParameter parameter in command.Parameters)
            {
                ((NpgsqlParameter<string>)parameter).TypedValue = value;
            }

            await command.ExecuteNonQueryAsync();
        }

        public override async Task<string?> ReadAsync(long id)
        {
            ((NpgsqlParameter<long>)_read.Parameters[0]).TypedValue = id;
            return (string?)await _read.ExecuteScalarAsync();
        }

        public override async Task MarkAsync() => _mark = (string)(await _position.ExecuteScalarAsync())!;

        public override async Task<string?> ReadOwnAsync(long id)
        {
            await WaitAsync();
            return await ReadAsync(id);
        }

        public async Task WaitAsync()
        {
            ((NpgsqlParameter<string>)_reached.Parameters[0]).TypedValue = _mark;
            while (!(bool)(await _reached.ExecuteScalarAsync())!)
            {
                // asked again at once: there is no wait for a position
            }
        }

        public async Task<long> CountAsync()
        {
            await using var count = new NpgsqlCommand("SELECT count(*) FROM t", _replica);
            return (long)(await count.ExecuteScalarAsync())!;
        }

        public override async ValueTask DisposeAsync()
        {
            await _primary.DisposeAsync();
            await _replica.DisposeAsync();
        }
    }
}
