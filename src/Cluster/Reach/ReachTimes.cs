namespace ReplicatedSqlite.Cluster;

/// <summary>How nodes look after each other; microseconds of a monotonic clock.</summary>
public sealed record ReachTimes
{
    /// <summary>What is used unless something else is asked for: a node that hangs is known in less than a second.</summary>
    public static ReachTimes Default { get; } = new();

    /// <summary>Between two pings of a node; up to a fifth more or less, so that nodes do not ping in step.</summary>
    public long PingEvery { get; init; } = 200_000;

    /// <summary>A node that owes an answer for so long is silent.</summary>
    public long Silence { get; init; } = 500_000;

    /// <summary>A node that is silent for so long is taken for lost: what it leads is looked for elsewhere. More than <see cref="Silence"/>, since a machine may be busy for a moment.</summary>
    public long Loss { get; init; } = 1_500_000;

    /// <summary>A node that is silent for so long is lost whatever else comes from it: nobody can call it. A busy moment is over by then.</summary>
    public long LossAtMost { get; init; } = 10_000_000;

    /// <summary>After so long an answer is not waited for any more.</summary>
    public long PingWithin { get; init; } = 2_000_000;

    /// <summary>So long a node that failed a call is put aside the first time; twice as long each time that it fails again.</summary>
    public long AsideFirst { get; init; } = 100_000;

    /// <summary>And so long at most. Who has not failed for so long begins anew.</summary>
    public long AsideAtMost { get; init; } = 2_000_000;
}
