using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Primary;

/// <summary>Why a leadership is over.</summary>
internal enum LossReason
{
    /// <summary>A follower promised another leadership.</summary>
    Superseded,

    /// <summary>The database is deleted.</summary>
    Deleted,

    /// <summary>A follower knows of a set that a later epoch decided.</summary>
    NewerSet,

    /// <summary>The log goes on in this epoch or a later one already; another epoch must be taken.</summary>
    EpochUsed,

    /// <summary>The leader's own node is not a follower of the set in force.</summary>
    NotFollower,

    /// <summary>The own journal is no member, or is not what the leadership left behind.</summary>
    OwnJournal,

    /// <summary>It was passed on.</summary>
    HandedOver,
}

/// <summary>Why and by whom a leadership is over.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Higher">What was promised instead, if somebody said so; the next epoch to take is above it.</param>
/// <param name="Text">For logs.</param>
internal sealed record LeaderLoss(LossReason Reason, Promise? Higher, string Text);
