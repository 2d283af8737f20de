namespace ReplicatedSqlite.Sqlite;

/// <summary>A read that was tried where it must be short took longer. It did nothing and is run again on a worker.</summary>
internal sealed class CutShortException() : Exception("The read was cut short.");
