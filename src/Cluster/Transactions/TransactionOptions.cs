namespace ReplicatedSqlite.Cluster;

/// <summary>How long an interactive transaction may last. One that writes holds the writer; one that only reads holds a snapshot.</summary>
public sealed record TransactionOptions
{
    /// <summary>Longest pause between two steps when the caller names none. Default 5 s.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time from begin to end when the caller names none. Default 30 s.</summary>
    public TimeSpan Total { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest pause that a caller may ask for. Default 30 s.</summary>
    public TimeSpan MaxIdle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest whole that a caller may ask for. Default 2 min.</summary>
    public TimeSpan MaxTotal { get; init; } = TimeSpan.FromMinutes(2);
}
