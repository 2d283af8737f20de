namespace ReplicatedSqlite.Cluster;

/// <summary>What the shell of a <see cref="HealthCore"/> is to do.</summary>
public abstract record HealthAction
{
    private HealthAction()
    {
    }

    /// <summary>Ask a follower whether it has lost the leadership, and hand in its answer with this round.</summary>
    /// <param name="Member">The follower's journal.</param>
    /// <param name="Activation">The leadership's.</param>
    /// <param name="Round">Comes back with the answer.</param>
    public sealed record Probe(Guid Member, ulong Activation, int Round) : HealthAction;

    /// <summary>Take the next epoch by compare-and-swap from the one that was seen, and become the leader; say how it went.</summary>
    /// <param name="Seen">The epoch of the leadership that was lost.</param>
    /// <param name="Reason">For logs.</param>
    public sealed record TakeEpoch(uint Seen, string Reason) : HealthAction;

    /// <summary>So many attempts came to nothing. It goes on when something new is heard.</summary>
    /// <param name="Attempts">How many.</param>
    public sealed record GiveUp(int Attempts) : HealthAction;
}
