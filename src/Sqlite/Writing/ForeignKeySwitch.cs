using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Foreign keys that a request switches off, and that have to hold again when it ends.</summary>
/// <remarks>
/// SQLite ignores <c>PRAGMA foreign_keys</c> inside a transaction, and a request is one. So a migration that makes a table anew, and drops the old one with the keys switched
/// off as SQLite's own documentation says, would delete its children by ON DELETE CASCADE without a word. Here the pragma has force until the request ends, and then every key of the
/// database is looked at before anything of it stays (SQLite, "ALTER TABLE", "Making Other Kinds Of Table Schema Changes").
/// </remarks>
internal sealed class ForeignKeySwitch(QueryConnection connection)
{
    private bool _isOff;
    private bool _wasOff;

    /// <summary>A pragma has run: follows it, if it is that one. Not before, for statements that are prepared already are prepared anew.</summary>
    public void Follow()
    {
        if (connection.Authorizer.TakeForeignKeys() is { } on && on == _isOff)
        {
            connection.Connection.SetConfig(SqliteCodes.ConfigEnableFkey, on ? 1 : 0);
            _isOff = !on;
            _wasOff = true;
        }
    }

    /// <summary>The request's statements have run. If keys were off meanwhile, reads the whole database, within the request's time.</summary>
    /// <exception cref="RequestException">SQLITE_CONSTRAINT_FOREIGNKEY: a row refers to nothing.</exception>
    /// <exception cref="SqliteException">SQLite could not look.</exception>
    public void Check()
    {
        if (!_wasOff)
        {
            return;
        }

        using var violations = connection.Connection.Prepare("PRAGMA foreign_key_check");
        if (violations.Step())
        {
            throw SqlErrors.From(new SqliteException(
                SqliteCodes.ConstraintForeignKey,
                $"FOREIGN KEY constraint failed: the request switched foreign_keys off, and at its end row {violations.GetInteger(1)} of \"{violations.GetText(0)}\" refers to nothing in "
                + $"\"{violations.GetText(2)}\". PRAGMA foreign_key_check shows all such rows."));
        }

        // While keys were off SQLite did not count deferred ones: its count can be below nothing, or above it with no row to blame. It is set to the truth, nothing (this is
        // what the pragma does at OFF), or a neighbour in the group would be refused for it, or its violation pass.
        connection.Connection.Execute("PRAGMA defer_foreign_keys=OFF");
    }

    /// <summary>The request has ended, in whatever way.</summary>
    public void End()
    {
        connection.Authorizer.TakeForeignKeys();
        if (_isOff)
        {
            connection.Connection.SetConfig(SqliteCodes.ConfigEnableFkey, 1);
        }

        _isOff = _wasOff = false;
    }
}
