namespace ReplicatedSqlite.Sqlite;

/// <summary>A read transaction that marks a boundary in the WAL: no checkpoint goes beyond it while it is held.</summary>
/// <remarks>
/// On the primary, the owner takes it behind a commit, waits until that position is confirmed, and then lets <see cref="Checkpointer"/> run: nothing
/// unconfirmed reaches the main file, however many commits came since. The connection is used for nothing else.
/// </remarks>
public sealed class PinnedSnapshot : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteStatement _touch;

    private PinnedSnapshot(SqliteConnection connection)
    {
        _connection = connection;
        _touch = connection.Prepare("SELECT count(*) FROM sqlite_schema");
    }

    /// <summary>A boundary is marked.</summary>
    public bool IsHeld => !_connection.IsAutocommit;

    /// <summary>Opens the connection; nothing is marked yet.</summary>
    /// <exception cref="SqliteException">SQLite could not open it.</exception>
    public static PinnedSnapshot Open(string path)
    {
        var connection = SqliteConnection.Open(path);
        try
        {
            return new PinnedSnapshot(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Marks the end of what is committed now, in place of the boundary marked before.</summary>
    public void Take()
    {
        Release();
        _connection.Execute("BEGIN");
        try
        {
            _ = _touch.Step(); // BEGIN alone marks nothing: the read does
        }
        finally
        {
            _touch.Reset();
        }
    }

    /// <summary>Lets the boundary go.</summary>
    public void Release()
    {
        if (IsHeld)
        {
            _connection.Execute("COMMIT");
        }
    }

    /// <summary>Lets the boundary go and closes the connection.</summary>
    public void Dispose()
    {
        _touch.Dispose();
        _connection.Dispose();
    }
}
