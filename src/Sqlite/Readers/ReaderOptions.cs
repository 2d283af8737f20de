namespace ReplicatedSqlite.Sqlite;

/// <summary>Bounds of one copy's read connections.</summary>
public sealed record ReaderOptions
{
    /// <summary>Connections at most; opened when they are needed. Default 8.</summary>
    public int MaxConnections { get; init; } = 8;

    /// <summary>Reads that may wait for one; above it a read is refused at once. Default 4,096.</summary>
    public int MaxWaiting { get; init; } = 4096;

    /// <summary>Longest time in which nobody takes anything from a streamed read; then it ends and its snapshot is let go. Default 30 s.</summary>
    public TimeSpan MaxPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long reads may keep a WAL from being restarted that has grown much too long, and with it all writes: then they are ended. Default 2 s.</summary>
    public TimeSpan PatienceWithReads { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How each connection is opened.</summary>
    public QueryConnectionOptions Connections { get; init; } = new();

    /// <summary>The same, with the policy of a database's profile as it is when a request begins; of one that this version does not know, the default's.</summary>
    public ReaderOptions ForProfile(Func<string> profile) =>
        this with { Connections = Connections with { CurrentPolicy = () => SqlPolicy.Find(profile()) ?? SqlPolicy.Default } };
}
