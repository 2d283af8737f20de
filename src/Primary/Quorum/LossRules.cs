using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Primary;

/// <summary>The decisions of a leader that goes on without followers who are gone for good: an operator has accepted that what only they had is lost.</summary>
internal sealed class LossRules : LeaderRules
{
    /// <summary>The sets in the log cannot be asked any more: the ones that were named count.</summary>
    public override bool IsNewer(KnownSets answered, KnownSets? known) => false;
}
