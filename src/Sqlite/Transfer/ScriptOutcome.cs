namespace ReplicatedSqlite.Sqlite;

/// <summary>What the statements of a file did.</summary>
/// <param name="Statements">How many there were.</param>
/// <param name="RowsRead">As in the metas of statements, of all together.</param>
/// <param name="RowsWritten">The same.</param>
/// <param name="Changes">The same.</param>
/// <param name="Wrote">One of them writes.</param>
public readonly record struct ScriptOutcome(long Statements, long RowsRead, long RowsWritten, long Changes, bool Wrote);
