using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The decisions of a leader on which no answered write may be lost and no read may be stale, each in one place. docs/protocol.md, "Leading", says why each is safe.</summary>
/// <remarks>They are overridden only by tests, which make one of them wrongly and see that it is noticed.</remarks>
internal class LeaderRules
{
    public static LeaderRules Default { get; } = new();

    /// <summary>Whether the sets that an answer names are newer than what is known.</summary>
    public virtual bool IsNewer(KnownSets answered, KnownSets? known) => known is null || answered.DecidedAt > known.DecidedAt;

    /// <summary>Whether a set change is confirmed: somebody has a mark at or above its entry. Else both its sets count.</summary>
    public virtual bool IsDecided(KnownSets known, Position confirmed) => known.DecidedAt <= confirmed;

    /// <summary>Whose promises are needed. The catalogue's set counts only while nobody knows of one in the log.</summary>
    public virtual ImmutableArray<FollowerSet> SetsToSeal(KnownSets? known, FollowerSet hint, bool isDecided) =>
        known is null ? [hint] : isDecided ? [known.Sets.Current] : known.Sets.Both;

    /// <summary>R: so many share a follower with every quorum.</summary>
    public virtual int PromisesNeeded(FollowerSet set) => set.SealQuorum;

    /// <summary>Which of two logs is adopted: the greater (epoch, sequence), never the longer one.</summary>
    public virtual int Compare(Position left, Position right) => left.CompareTo(right);

    /// <summary>What the epoch entry says: a change that is under way is finished, else the wanted one begins.</summary>
    public virtual FollowerSets SetsToWrite(KnownSets? known, FollowerSet hint, bool isDecided, FollowerSet? changeTo)
    {
        if (known is { Sets.Old: not null } && !isDecided)
        {
            return known.Sets;
        }

        var current = known?.Sets.Current ?? hint;
        return changeTo is null || changeTo.Equals(current) ? new(null, current) : new(current, changeTo);
    }

    /// <summary>Whose quorums an entry needs: of both sets until the epoch entry is confirmed.</summary>
    public virtual ImmutableArray<FollowerSet> SetsToConfirm(FollowerSets sets, bool isConfirmed) => isConfirmed ? [sets.Current] : sets.Both;

    /// <summary>Whether a position that a quorum has may be called confirmed: only one of this epoch. An older one is, once something of this epoch behind it is.</summary>
    public virtual bool MayConfirm(Promise promise, Position position) => position.Epoch == promise.Epoch;

    /// <summary>Whether an ack counts: only for a position of the leader's own log.</summary>
    public virtual bool Counts(Position acked, bool isInLog) => isInLog;

    /// <summary>From when on an acknowledged heartbeat is worth something: from its sending, because the follower counts from a later moment.</summary>
    public virtual long LeaseFrom(long sentAt, long ackedAt) => sentAt;

    /// <summary>Whether a read that came at <paramref name="arrivedAt"/> may rely on a lease, looked at now.</summary>
    public virtual bool HasLease(long? leaseFrom, long arrivedAt, LeaderTimes times) => leaseFrom is { } from && arrivedAt < from + times.Lease;

    /// <summary>Whether a round proves something to a read: only one that began after the read came.</summary>
    /// <param name="sentAt">Of the round.</param>
    /// <param name="lastSentAt">Of the newest round when the read came.</param>
    public virtual bool Proves(long sentAt, long lastSentAt) => sentAt > lastSentAt;
}
