namespace ReplicatedSqlite.Sqlite;

/// <summary>What SQLite itself said.</summary>
/// <param name="extendedCode">The extended result code.</param>
/// <param name="message">SQLite's text.</param>
/// <param name="offset">Byte offset in the statement's SQL, -1 if SQLite names none.</param>
public sealed class SqliteException(int extendedCode, string message, int offset = -1) : Exception(message)
{
    /// <summary>The extended result code, e.g. 2067 for SQLITE_CONSTRAINT_UNIQUE.</summary>
    public int ExtendedCode { get; } = extendedCode;

    /// <summary>The primary result code, e.g. 19 for SQLITE_CONSTRAINT.</summary>
    public int PrimaryCode => SqliteCodes.Primary(ExtendedCode);

    /// <summary>Byte offset of the error in the statement's SQL, -1 if unknown.</summary>
    public int SqlOffset { get; } = offset;
}
