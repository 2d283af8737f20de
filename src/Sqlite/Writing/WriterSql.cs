namespace ReplicatedSqlite.Sqlite;

/// <summary>The prepared statements that a writer brackets users' statements with.</summary>
internal sealed class WriterSql : IDisposable
{
    private readonly QueryConnection _connection;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteStatement _savepoint;
    private readonly SqliteStatement _release;
    private readonly SqliteStatement _rollbackTo;

    public WriterSql(QueryConnection connection)
    {
        _connection = connection;
        _begin = connection.Connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Connection.Prepare("COMMIT");
        _rollback = connection.Connection.Prepare("ROLLBACK");
        _savepoint = connection.Connection.Prepare("SAVEPOINT _rs_member");
        _release = connection.Connection.Prepare("RELEASE _rs_member");
        _rollbackTo = connection.Connection.Prepare("ROLLBACK TO _rs_member");
    }

    public void Begin() => _begin.Run();

    public void Commit() => _commit.Run();

    /// <summary>Rolls back, unless SQLite has done so already.</summary>
    public void Rollback()
    {
        if (!_connection.IsAutocommit)
        {
            _rollback.Run();
        }

        _connection.AfterRollback();
    }

    public void Savepoint() => _savepoint.Run();

    public void Release() => _release.Run();

    /// <summary>Undoes all since the savepoint, and lets it go.</summary>
    public void Undo()
    {
        _rollbackTo.Run();
        _release.Run();
        _connection.AfterRollback();
    }

    public void Dispose()
    {
        _begin.Dispose();
        _commit.Dispose();
        _rollback.Dispose();
        _savepoint.Dispose();
        _release.Dispose();
        _rollbackTo.Dispose();
    }
}
