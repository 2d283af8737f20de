namespace ReplicatedSqlite.Cluster;

/// <summary>How patient a candidate is; microseconds of a monotonic clock.</summary>
public sealed record HealthTimes
{
    /// <summary>What is used unless something else is asked for.</summary>
    public static HealthTimes Default { get; } = new();

    /// <summary>A leader's stream that is away for so long is lost.</summary>
    public long Loss { get; init; } = 500_000;

    /// <summary>A random part of at most so much is added, so that candidates do not all come at once.</summary>
    public long Spread { get; init; } = 150_000;

    /// <summary>Added for each rank: who suits better goes first.</summary>
    public long PerRank { get; init; } = 100_000;

    /// <summary>So long probes are waited for.</summary>
    public long ProbeWithin { get; init; } = 400_000;

    /// <summary>Before the first further attempt; doubles from one to the next.</summary>
    public long RetryAfter { get; init; } = 250_000;

    /// <summary>Most between two attempts.</summary>
    public long RetryAtMost { get; init; } = 5_000_000;

    /// <summary>After so many attempts in a row it gives up until something new is heard.</summary>
    public int Attempts { get; init; } = 12;
}
