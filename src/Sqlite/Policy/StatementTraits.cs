namespace ReplicatedSqlite.Sqlite;

/// <summary>What the authorizer saw while a statement was prepared.</summary>
[Flags]
internal enum StatementTraits
{
    None = 0,

    /// <summary>Inserts into a table by itself, not only in a trigger.</summary>
    Inserts = 1,

    /// <summary>Calls <c>changes()</c>, perhaps in a trigger.</summary>
    UsesChanges = 2,

    /// <summary>Calls <c>last_insert_rowid()</c>, perhaps in a trigger.</summary>
    UsesLastRowId = 4,

    /// <summary>Creates, alters, drops, analyzes or reindexes.</summary>
    Schema = 8,

    /// <summary>Alters a table: the new name is not shown to the authorizer and must be looked at afterwards.</summary>
    Alters = 16,

    /// <summary>Makes or changes temp objects.</summary>
    Temp = 32,

    /// <summary>A pragma that only reads, whatever <c>sqlite3_stmt_readonly</c> says.</summary>
    PragmaReads = 64,

    /// <summary>A pragma that may write, whatever <c>sqlite3_stmt_readonly</c> says.</summary>
    PragmaWrites = 128,

    /// <summary>A pragma that changes the connection. It takes effect when it is prepared, so it must not be cached.</summary>
    PragmaSets = 256,

    /// <summary>SAVEPOINT, RELEASE or ROLLBACK TO, in an interactive transaction.</summary>
    Savepoint = 512,

    /// <summary>Rewrites something that neither <c>changes()</c> nor the schema's version shows: ANALYZE, REINDEX, a pragma that writes.</summary>
    Rewrites = 1024,

    /// <summary>VACUUM, which runs alone.</summary>
    Vacuum = 2048,

    /// <summary>Checks virtual tables against their own index: <c>PRAGMA integrity_check</c> and <c>quick_check</c>, also as tables.</summary>
    ChecksIntegrity = 4096,

    /// <summary>Any pragma: each run prepares it again.</summary>
    Pragma = PragmaReads | PragmaWrites | PragmaSets,
}
