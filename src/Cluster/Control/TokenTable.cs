using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>The tokens in the control plane's file. One thread at a time; every change is durable when its call returns.</summary>
internal sealed class TokenTable
{
    private readonly SqliteConnection _connection;
    private readonly Action _changed;

    /// <param name="connection">Of the control plane's file.</param>
    /// <param name="changed">Told of each change.</param>
    public TokenTable(SqliteConnection connection, Action changed)
    {
        _connection = connection;
        _changed = changed;
        connection.Execute("CREATE TABLE IF NOT EXISTS tokens (id TEXT PRIMARY KEY, record TEXT NOT NULL, used_at INTEGER NOT NULL DEFAULT 0)");
    }

    public IReadOnlyList<TokenRecord> ReadAll()
    {
        var tokens = new List<TokenRecord>();
        using var statement = _connection.Prepare("SELECT record, used_at FROM tokens");
        while (statement.Step())
        {
            var usedAt = statement.GetInteger(1);
            tokens.Add(TokenFormat.Read(statement.GetText(0)!, usedAt == 0 ? null : TokenFormat.FromMicroseconds(usedAt)));
        }

        return tokens;
    }

    public void Put(TokenRecord token)
    {
        using var statement = _connection.Prepare("INSERT INTO tokens (id, record) VALUES (?1, ?2)");
        statement.BindText(1, token.Id);
        statement.BindText(2, TokenFormat.Write(token));
        statement.Run();
        _changed();
    }

    public void Delete(string id)
    {
        using var statement = _connection.Prepare("DELETE FROM tokens WHERE id = ?1");
        statement.BindText(1, id);
        statement.Run();
        _changed();
    }

    public void NoteUse(string id, DateTimeOffset usedAt)
    {
        using var statement = _connection.Prepare("UPDATE tokens SET used_at = ?2 WHERE id = ?1");
        statement.BindText(1, id);
        statement.Bind(2, TokenFormat.ToMicroseconds(usedAt));
        statement.Run();
        _changed();
    }
}
