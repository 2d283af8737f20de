namespace ReplicatedSqlite.Router;

/// <summary>Limits of a node's query service.</summary>
public sealed record RouterOptions
{
    /// <summary>How long a copy waits for a bookmark when the caller says nothing. Default 5 s.</summary>
    public TimeSpan WaitTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Clients on this machine need a token too. Default: they may do everything without one. To be set where a proxy on this machine makes everybody look so.</summary>
    public bool RequireTokens { get; init; }

    /// <summary>Queries in flight on this node, waiting ones included; above it calls are refused at once. Default 10,000.</summary>
    public int MaxQueries { get; init; } = 10_000;

    /// <summary>Requests that take longer are written to the log, without their values. Default 1 s; <see langword="null"/>: none.</summary>
    public TimeSpan? SlowStatement { get; init; } = TimeSpan.FromSeconds(1);
}
