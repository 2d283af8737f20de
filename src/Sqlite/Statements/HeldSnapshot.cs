namespace ReplicatedSqlite.Sqlite;

/// <summary>A snapshot that a connection's reads share until it is disposed. Note the copy's position right after it was taken.</summary>
public sealed class HeldSnapshot : IDisposable
{
    private QueryConnection? _connection;

    internal HeldSnapshot(QueryConnection connection, WalIndexHeader? past)
    {
        try
        {
            if (past is { } state)
            {
                connection.BeginSnapshot(state);
            }
            else
            {
                connection.BeginSnapshot();
            }
        }
        catch (SqliteException error)
        {
            throw SqlErrors.From(error);
        }

        _connection = connection;
    }

    /// <summary>Lets the snapshot go.</summary>
    public void Dispose()
    {
        _connection?.EndSnapshot();
        _connection = null;
    }
}
