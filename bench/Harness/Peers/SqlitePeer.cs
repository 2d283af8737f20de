using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>SQLite in the caller's own process, through Microsoft.Data.Sqlite: one file, one disk, no server.</summary>
internal sealed class SqlitePeer : Peer
{
    private readonly string _source;
    private readonly SemaphoreSlim _writer = new(1);

    public SqlitePeer(string folder)
    {
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        _source = $"Data Source={Path.Combine(folder, "db.sqlite")};Pooling=False";
        using var connection = Open();
        Run(connection, "PRAGMA journal_mode=WAL");
        Run(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)");
    }

    public override string Name => "SQLite, Microsoft.Data.Sqlite";

    public override string Difference => "in the caller's own process, WAL with synchronous=FULL: a commit is on one disk, there is no network and no copy; writers take turns";

    public override bool HasReadYourWrites => false; // there is nothing to wait for

    public override Task<PeerConnection> ConnectAsync(int caller) => Task.FromResult<PeerConnection>(new Connection(Open(), _writer));

    public override Task<long> CountAsync()
    {
        using var connection = Open();
        using var count = new SqliteCommand("SELECT count(*) FROM t", connection);
        return Task.FromResult((long)count.ExecuteScalar()!);
    }

    public override ValueTask DisposeAsync()
    {
        _writer.Dispose();
        return ValueTask.CompletedTask;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_source);
        connection.Open();
        Run(connection, "PRAGMA synchronous=FULL");
        return connection;
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // texts of this file only
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private sealed class Connection : PeerConnection
    {
        private readonly SqliteConnection _connection;
        private readonly SemaphoreSlim _writer;
        private readonly SqliteCommand _insert;
        private readonly SqliteCommand _read;

        public Connection(SqliteConnection connection, SemaphoreSlim writer)
        {
            (_connection, _writer) = (connection, writer);
            _insert = new SqliteCommand("INSERT INTO t (v) VALUES ($v) RETURNING id", connection) { Parameters = { new SqliteParameter("$v", "") } };
            _read = new SqliteCommand("SELECT v FROM t WHERE id = $id", connection) { Parameters = { new SqliteParameter("$id", 0L) } };
        }

        public override async Task<long> InsertAsync(string value)
        {
            await _writer.WaitAsync();
            try
            {
                _insert.Parameters[0].Value = value;
                return Convert.ToInt64(_insert.ExecuteScalar(), CultureInfo.InvariantCulture);
            }
            finally
            {
                _writer.Release();
            }
        }

        public override async Task InsertAsync(string value, int rows)
        {
            await _writer.WaitAsync();
            try
            {
                using var transaction = _connection.BeginTransaction();
                _insert.Transaction = transaction;
                _insert.Parameters[0].Value = value;
                for (var i = 0; i < rows; i++)
                {
                    _insert.ExecuteScalar();
                }

                transaction.Commit();
                _insert.Transaction = null;
            }
            finally
            {
                _writer.Release();
            }
        }

        public override Task<string?> ReadAsync(long id)
        {
            _read.Parameters[0].Value = id;
            return Task.FromResult((string?)_read.ExecuteScalar());
        }

        public override Task<string?> ReadOwnAsync(long id) => ReadAsync(id);

        public override ValueTask DisposeAsync()
        {
            _connection.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
