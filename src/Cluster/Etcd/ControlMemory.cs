using System.Text.Json;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a node remembers of a database in etcd.</summary>
/// <param name="Id">Which.</param>
/// <param name="Record">It; <see langword="null"/> when it was deleted.</param>
/// <param name="Revision">etcd's revision of it; 0: nothing is remembered any more.</param>
internal readonly record struct RememberedDatabase(DatabaseId Id, DatabaseRecord? Record, long Revision);

/// <summary>A node's own file of what it saw in etcd: which etcd it was and how far it had come, the catalogue, the nodes.</summary>
/// <remarks>
/// With it an etcd that was wiped or brought back from a backup is noticed, the node starts while etcd is away, and what an older etcd has forgotten can be told to it. Used
/// by one thread at a time. What is saved together is there together; it need not be the newest.
/// </remarks>
internal sealed class ControlMemory : IDisposable
{
    private const int Format = 1;
    private const int ChangesPerCheckpoint = 10_000;

    private readonly SqliteConnection _connection;
    private int _changes; // since the last checkpoint

    private ControlMemory(SqliteConnection connection) => _connection = connection;

    /// <exception cref="InvalidOperationException">The file cannot be used.</exception>
    public static ControlMemory Open(string path)
    {
        SqliteConnection? connection = null;
        try
        {
            connection = SqliteConnection.Open(path, create: true);
            if (connection.QueryInteger("PRAGMA user_version") is var version and > Format)
            {
                throw new InvalidOperationException($"'{path}' has format version {version}; this version knows {Format}. Run the one that wrote it.");
            }

            connection.Execute(
                $"""
                PRAGMA synchronous=FULL;
                PRAGMA user_version={Format};
                CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS databases (id BLOB PRIMARY KEY, revision INTEGER NOT NULL, record TEXT) WITHOUT ROWID;
                """);
            return new ControlMemory(connection);
        }
        catch (InvalidOperationException)
        {
            connection?.Dispose();
            throw;
        }
        catch (SqliteException e)
        {
            connection?.Dispose();
            throw new InvalidOperationException($"'{path}' cannot be used: {e.Message} Another process may have it open. If it is damaged, remove it: it is made anew from etcd.", e);
        }
    }

    /// <summary>Which etcd it is; <see langword="null"/> before the first.</summary>
    public EtcdFacts? Facts => Read<EtcdFacts>("etcd");

    /// <summary>The lease of this node's last registration.</summary>
    public long Lease => Read<long>("lease");

    /// <summary>The nodes that were alive last.</summary>
    public IReadOnlyList<NodeRecord> Nodes => Read<NodeRecord[]>("nodes") ?? [];

    /// <summary>By what the nodes know each other; <see langword="null"/> before the first join.</summary>
    public string? NodeKey => Read<string>("node_key");

    /// <summary>The tokens as they were last.</summary>
    public IEnumerable<TokenRecord> Tokens => (Read<string[]>("tokens") ?? []).Select(static token => TokenFormat.Read(token, null));

    public List<RememberedDatabase> ReadAll()
    {
        var all = new List<RememberedDatabase>();
        using var statement = _connection.Prepare("SELECT id, revision, record FROM databases");
        while (statement.Step())
        {
            var json = statement.GetText(2);
            all.Add(new(DatabaseId.Read(statement.GetBlob(0)), json is null ? null : StoredDatabase.Decode(json), statement.GetInteger(1)));
        }

        return all;
    }

    public void SaveLease(long lease) => Write("lease", lease);

    public void SaveNodeKey(string key) => Write("node_key", key);

    public void SaveNodes(IReadOnlyList<NodeRecord> nodes) => Write("nodes", nodes);

    /// <summary>Remembers which etcd it is, and what changed.</summary>
    /// <param name="facts">Which etcd.</param>
    /// <param name="changed">Of the catalogue.</param>
    /// <param name="tokens">All tokens; <see langword="null"/> when they are as they were.</param>
    public void Save(EtcdFacts facts, IReadOnlyList<RememberedDatabase> changed, IReadOnlyCollection<TokenRecord>? tokens)
    {
        _connection.Execute("BEGIN IMMEDIATE");
        try
        {
            Write("etcd", facts);
            SaveAll(changed);
            if (tokens is not null)
            {
                Write("tokens", tokens.Select(TokenFormat.Write).ToArray());
            }

            _connection.Execute("COMMIT");
        }
        catch when (!_connection.IsAutocommit)
        {
            _connection.Execute("ROLLBACK");
            throw;
        }

        _changes += changed.Count + 1;
        if (_changes >= ChangesPerCheckpoint)
        {
            _connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)"); // no connection of the engine does it by itself
            _changes = 0;
        }
    }

    public void Dispose() => _connection.Dispose();

    // Of a database that is merely gone the record stays: it is what can be told to an etcd that has forgotten it.
    private void SaveAll(IReadOnlyList<RememberedDatabase> changed)
    {
        using var put = _connection.Prepare("INSERT OR REPLACE INTO databases (id, revision, record) VALUES (?1, ?2, ?3)");
        using var delete = _connection.Prepare("INSERT OR REPLACE INTO databases (id, revision, record) VALUES (?1, ?2, NULL)");
        using var forget = _connection.Prepare("DELETE FROM databases WHERE id = ?1 AND record IS NULL");
        Span<byte> key = stackalloc byte[DatabaseId.SizeBytes];
        foreach (var database in changed)
        {
            var statement = database.Record is not null ? put : database.Revision != 0 ? delete : forget;
            database.Id.Write(key);
            statement.Bind(1, key);
            if (database.Revision != 0)
            {
                statement.Bind(2, database.Revision);
            }

            if (database.Record is { } record)
            {
                statement.BindText(3, StoredDatabase.EncodeText(record));
            }

            statement.Run();
            statement.Reset();
        }
    }

    private T? Read<T>(string name)
    {
        using var statement = _connection.Prepare("SELECT value FROM facts WHERE name = ?1");
        statement.BindText(1, name);
        return statement.Step() ? JsonSerializer.Deserialize<T>(statement.GetText(0)!) : default;
    }

    private void Write<T>(string name, T value)
    {
        using var statement = _connection.Prepare("INSERT OR REPLACE INTO facts VALUES (?1, ?2)");
        statement.BindText(1, name);
        statement.BindText(2, JsonSerializer.Serialize(value));
        statement.Run();
    }
}
