namespace ReplicatedSqlite.D1Api;

/// <summary>How often one SQL text ran, and what it cost.</summary>
internal sealed class QueryUsage
{
    public long Count { get; private set; }

    public long RowsRead { get; private set; }

    public long RowsWritten { get; private set; }

    public long RowsReturned { get; private set; }

    public double DurationMs { get; private set; }

    public void Add(long read, long written, long returned, double durationMs)
    {
        Count++;
        RowsRead += read;
        RowsWritten += written;
        RowsReturned += returned;
        DurationMs += durationMs;
    }

    public void Add(QueryUsage other)
    {
        Count += other.Count;
        RowsRead += other.RowsRead;
        RowsWritten += other.RowsWritten;
        RowsReturned += other.RowsReturned;
        DurationMs += other.DurationMs;
    }
}
