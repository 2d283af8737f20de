using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Replica;

namespace ReplicatedSqlite.Simulation;

/// <summary>Where a mistake can be planted in a story. Each member is what is right; a fault overrides one of them.</summary>
internal class Plant
{
    // Disk.

    /// <summary>A start syncs what it read back before it acks or reports it.</summary>
    public virtual bool SyncsWhatItReadBack => true;

    /// <summary>The process is told that a record is on disk when it is only written.</summary>
    public virtual bool TellsBeforeSync(JournalRecord record) => false;

    /// <summary>A record never gets to the disk.</summary>
    public virtual bool Loses(JournalRecord record) => false;

    // Follower.

    public virtual FollowerCore MakeFollower(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt) =>
        new(journal, recovered, log, times, startedAt);

    /// <summary>What a follower hears of what a leader says.</summary>
    public virtual IEnumerable<LeaderMessage> ToFollower(FollowerHost follower, LeaderLink link, LeaderMessage message) => [message];

    // Leader.

    public virtual LeaderRules Rules => LeaderRules.Default;

    /// <summary>A read has come and wants proof that the leadership stands.</summary>
    public virtual void AskProof(LeaderHost leader, long token) => leader.AskProof(token);

    /// <summary>The core gave a proof.</summary>
    /// <returns><see langword="false"/>: it was the plant's own.</returns>
    public virtual bool SeesProof(LeaderHost leader, long token, bool isValid) => true;

    // Writer and gate.

    public virtual bool ErrorsPassTheGate => false;

    public virtual bool FoundKeysPassTheGate => false;

    public virtual bool ReadsPassTheGate => false;

    public virtual bool LooksForKeys => true;

    /// <summary>The image cache of a new leadership; the node's last one is what a fault would keep.</summary>
    public virtual bool KeepsImageCache => false;

    // Replica.

    /// <summary>The entry that a mark is taken for.</summary>
    public virtual Position MarkFor(ApplyCore core, HiddenEntries entries, uint said, Position mark) => mark;

    /// <summary>A bookmark is called abandoned, whatever the waits say.</summary>
    public virtual bool CallsAbandoned(EpochTable received, Bookmark bookmark) => false;

    public virtual bool ShowsMixtures => false;

    public virtual bool ShowsHiddenEntries => false;

    public virtual bool KeepsPagesOfDiscardedTail => false;

    // Client.

    public virtual bool MergesBookmarks => true;
}
