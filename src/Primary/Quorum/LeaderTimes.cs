namespace ReplicatedSqlite.Primary;

/// <summary>How long a leader waits and relies on something; microseconds of a monotonic clock that runs on in suspend.</summary>
internal sealed record LeaderTimes
{
    public static LeaderTimes Default { get; } = new();

    /// <summary>Reads rest on a lease; without it each one rests on a round to a quorum.</summary>
    public bool ReadLease { get; init; } = true;

    /// <summary>A heartbeat that a quorum acknowledged is worth so much, from its sending. Followers keep to it for 400 ms from receipt: room for clocks within 10 % of the true rate.</summary>
    public long Lease { get; init; } = 300_000;

    /// <summary>Between two heartbeats while reads come.</summary>
    public long HeartbeatEvery { get; init; } = 100_000;

    /// <summary>Heartbeats go on for so long after the last read.</summary>
    public long HeartbeatsFor { get; init; } = 1_000_000;

    /// <summary>A round may begin so soon after one that has not come back, for those who came since.</summary>
    public long RoundEvery { get; init; } = 5_000;

    /// <summary>A read that has no proof by then is told so.</summary>
    public long ProofWithin { get; init; } = 1_000_000;

    /// <summary>A follower that owes an answer and says nothing for so long does not count as there.</summary>
    public long Silence { get; init; } = 1_500_000;

    /// <summary>A follower that owes an answer and says nothing for so long gets a new stream.</summary>
    public long Stalled { get; init; } = 5_000_000;

    /// <summary>A fetch that brings nothing for so long has failed.</summary>
    public long FetchWithin { get; init; } = 10_000_000;

    /// <summary>Before something that failed is tried again.</summary>
    public long RetryAfter { get; init; } = 200_000;
}
