namespace ReplicatedSqlite.Sqlite;

/// <summary>How a <see cref="QueryConnection"/> is set up.</summary>
public sealed record QueryConnectionOptions
{
    /// <summary>What users' SQL may do.</summary>
    public SqlPolicy Policy { get; init; } = SqlPolicy.Default;

    /// <summary>Where the policy may change while connections are open: asked before each request, instead of <see cref="Policy"/>.</summary>
    public Func<SqlPolicy>? CurrentPolicy { get; init; }

    /// <summary>The clock of timeouts and durations.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Most prepared statements that are kept.</summary>
    public int MaxCachedStatements { get; init; } = 256;

    /// <summary>Most letters of SQL whose statements are kept; a text longer than a quarter of it is not.</summary>
    public int MaxCachedSqlLength { get; init; } = 1024 * 1024;

    /// <summary>SQLite's page cache of this connection.</summary>
    public int PageCacheKib { get; init; } = 8 * 1024;

    /// <summary>A reader's snapshot stays open when its request has ended, for the next one, as long as the file has not changed. Whoever checkpoints has it let go.</summary>
    /// <remarks>To open one and to end it costs two locks and a look at the file's size: system calls, and a mutex that all readers of a file share.</remarks>
    internal bool KeepsSnapshots { get; init; }

    /// <summary>Of a new file.</summary>
    public int PageSizeBytes { get; init; } = 4096;
}
