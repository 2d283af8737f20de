namespace ReplicatedSqlite;

/// <summary>What one call asks for beyond its SQL. Everything unset: the server's defaults.</summary>
public sealed record QueryOptions
{
    /// <summary>Longest run of the SQL itself, waits excluded.</summary>
    public TimeSpan? SqlTimeout { get; init; }

    /// <summary>Longest time for the whole call. Unset: the client's, and none for streams.</summary>
    public TimeSpan? CallTimeout { get; init; }

    /// <summary>Longest wait for a copy to reach the session's bookmark.</summary>
    public TimeSpan? WaitTimeout { get; init; }

    /// <summary>What happens when that wait is over: forward to the primary (the default), or fail with <see cref="BookmarkTimeoutException"/>.</summary>
    public OnWaitTimeout OnWaitTimeout { get; init; }

    /// <summary>A copy may answer only if it heard from the primary within this time.</summary>
    public TimeSpan? MaxStaleness { get; init; }

    /// <summary>Reads exactly this state, nothing newer. Reads only.</summary>
    public Bookmark? AsOf { get; init; }

    /// <summary>Chosen by the caller, unique in the database: a write made again under the same key runs once, and gets the first answer.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Most rows in a message of a stream. 0: the server's choice.</summary>
    public int BatchRows { get; init; }
}
