namespace ReplicatedSqlite.Sqlite;

/// <summary>SQL of the engine's own on a users' connection, such as the table of idempotency keys. The policy is silent for it.</summary>
public sealed class OwnerSql : IDisposable
{
    private readonly QueryConnection _connection;
    private readonly Dictionary<string, OwnerStatement> _statements = new(StringComparer.Ordinal);

    internal OwnerSql(QueryConnection connection) => _connection = connection;

    /// <summary>Runs statements that return no rows that matter.</summary>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public void Execute(string sql)
    {
        _connection.Connection.Execute(sql);
    }

    /// <summary>A statement that is prepared once and kept. The texts are constants of the program: there are few.</summary>
    /// <exception cref="SqliteException">SQLite refused it.</exception>
    public OwnerStatement Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            statement = new OwnerStatement(_connection, _connection.Connection.Prepare(sql));

            _statements.Add(sql, statement);
        }

        return statement;
    }

    /// <summary>Frees what was prepared.</summary>
    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Free();
        }

        _statements.Clear();
    }
}
