using System.Text.Json;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>The file behind the embedded control plane. One thread at a time; every change is durable when its call returns.</summary>
internal sealed class ControlFile : IDisposable
{
    private const int Format = 1;
    private const int ChangesPerCheckpoint = 1000;

    private readonly SqliteConnection _connection;
    private int _changes; // since the last checkpoint

    private ControlFile(SqliteConnection connection, string clusterId)
    {
        _connection = connection;
        ClusterId = clusterId;
        Tokens = new TokenTable(connection, CountChange);
    }

    public string ClusterId { get; }

    public TokenTable Tokens { get; }

    /// <exception cref="FormatVersionException">A newer version of the product wrote it.</exception>
    public static ControlFile Open(string path, Random random)
    {
        var connection = SqliteConnection.Open(path, create: true);
        try
        {
            if (connection.QueryInteger("PRAGMA user_version") is var version and > Format)
            {
                throw new FormatVersionException(path, (int)version, Format);
            }

            connection.Execute(
                $"""
                PRAGMA synchronous=FULL;
                PRAGMA user_version={Format};
                CREATE TABLE IF NOT EXISTS cluster (id TEXT NOT NULL);
                CREATE TABLE IF NOT EXISTS databases (id BLOB PRIMARY KEY, record TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
                """);
            if (connection.QueryInteger("SELECT count(*) FROM cluster") == 0)
            {
                Span<byte> bytes = stackalloc byte[16];
                random.NextBytes(bytes);
                connection.Execute($"INSERT INTO cluster VALUES ('{Convert.ToHexStringLower(bytes)}')");
            }

            return new ControlFile(connection, connection.QueryText("SELECT id FROM cluster")!);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public IReadOnlyList<DatabaseRecord> ReadAll()
    {
        var databases = new List<DatabaseRecord>();
        using var statement = _connection.Prepare("SELECT record FROM databases WHERE deleted = 0");
        while (statement.Step())
        {
            databases.Add(JsonSerializer.Deserialize<StoredDatabase>(statement.GetText(0)!)!.ToRecord());
        }

        return databases;
    }

    /// <summary>Whether a database has, or ever had, this id.</summary>
    public bool Knows(DatabaseId id)
    {
        Span<byte> key = stackalloc byte[DatabaseId.SizeBytes];
        id.Write(key);
        using var statement = _connection.Prepare("SELECT 1 FROM databases WHERE id = ?1");
        statement.Bind(1, key);
        return statement.Step();
    }

    public void Put(DatabaseRecord database) => Run(
        "INSERT INTO databases (id, record) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET record = excluded.record",
        database.Id,
        JsonSerializer.Serialize(StoredDatabase.Of(database)));

    /// <summary>The row stays, so that its id is never used again.</summary>
    public void Delete(DatabaseId id) => Run("UPDATE databases SET deleted = 1 WHERE id = ?1", id, null);

    public void Dispose() => _connection.Dispose();

    private void Run(string sql, DatabaseId id, string? record)
    {
        Span<byte> key = stackalloc byte[DatabaseId.SizeBytes];
        id.Write(key);
        using var statement = _connection.Prepare(sql);
        statement.Bind(1, key);
        if (record is not null)
        {
            statement.BindText(2, record);
        }

        statement.Run();
        CountChange();
    }

    private void CountChange()
    {
        if (++_changes >= ChangesPerCheckpoint)
        {
            _connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)"); // no connection of the engine does it by itself
            _changes = 0;
        }
    }
}
