namespace ReplicatedSqlite.Sqlite;

/// <summary>Bounds of one copy's read connections.</summary>
public sealed record ReaderOptions
{
    /// <summary>Connections at most; opened when they are needed. Default 8.</summary>
    public int MaxConnections { get; init; } = 8;

    /// <summary>Reads that may wait for one; above it a read is refused at once. Default 4,096.</summary>
    public int MaxWaiting { get; init; } = 4096;

    /// <summary>How each connection is opened.</summary>
    public QueryConnectionOptions Connections { get; init; } = new();
}
