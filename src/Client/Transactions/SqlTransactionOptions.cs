namespace ReplicatedSqlite;

/// <summary>What an interactive transaction asks for. Everything unset: the server's defaults.</summary>
public sealed record SqlTransactionOptions
{
    /// <summary>Only reads: a snapshot taken at the beginning, on the copy that the session allows. Holds up no writer.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Longest pause between two steps; after it the server rolls back.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Longest time from begin to end; after it the server rolls back.</summary>
    public TimeSpan? TotalTimeout { get; init; }

    /// <summary>Names the whole transaction: <see cref="SqlExecutor.GetOutcomeAsync"/> tells whether it was committed.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Longest wait for a copy to reach the session's bookmark.</summary>
    public TimeSpan? WaitTimeout { get; init; }

    /// <summary>What happens when that wait is over.</summary>
    public OnWaitTimeout OnWaitTimeout { get; init; }

    /// <summary>A copy may answer only if it heard from the primary within this time.</summary>
    public TimeSpan? MaxStaleness { get; init; }

    internal QueryOptions ToReadOptions() => new() { WaitTimeout = WaitTimeout, OnWaitTimeout = OnWaitTimeout, MaxStaleness = MaxStaleness };
}
