namespace ReplicatedSqlite.Sqlite;

/// <summary>Rows that nobody reads: those of a SELECT in a file that is imported.</summary>
internal sealed class DiscardedRows : IRowSink
{
    public int Rows => 0;

    public long Bytes => 0;

    public bool TryAdd(nint statement, long maxBytes) => true;
}
