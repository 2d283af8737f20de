using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A leader that decides one thing wrongly.</summary>
internal sealed class LeaderFault(LeaderRules rules) : Plant
{
    public override LeaderRules Rules => rules;
}

/// <summary>Rules with one mistake each.</summary>
internal static class LeaderFaults
{
    internal sealed class OnePromiseLess : LeaderRules
    {
        public override int PromisesNeeded(FollowerSet set) => Math.Max(1, set.SealQuorum - 1);
    }

    internal sealed class AdoptsLongest : LeaderRules
    {
        public override int Compare(Position left, Position right) => left.Sequence.CompareTo(right.Sequence);
    }

    internal sealed class ConfirmsOldEntries : LeaderRules
    {
        public override bool MayConfirm(Promise promise, Position position) => true;
    }

    internal sealed class StaleSet : LeaderRules
    {
        public override bool IsNewer(KnownSets answered, KnownSets? known) => false;

        public override ImmutableArray<FollowerSet> SetsToSeal(KnownSets? known, FollowerSet hint, bool isDecided) => [hint];
    }

    internal sealed class OnlyNewSetSealed : LeaderRules
    {
        public override ImmutableArray<FollowerSet> SetsToSeal(KnownSets? known, FollowerSet hint, bool isDecided) => known is null ? [hint] : [known.Sets.Current];
    }

    internal sealed class OnlyNewSetConfirms : LeaderRules
    {
        public override ImmutableArray<FollowerSet> SetsToConfirm(FollowerSets sets, bool isConfirmed) => [sets.Current];
    }

    internal sealed class OnlyOldSetConfirms : LeaderRules
    {
        public override ImmutableArray<FollowerSet> SetsToConfirm(FollowerSets sets, bool isConfirmed) => [isConfirmed ? sets.Current : sets.Both[0]];
    }

    internal sealed class LeaseFromArrival : LeaderRules
    {
        public override long LeaseFrom(long sentAt, long ackedAt) => ackedAt;
    }

    internal sealed class LeaseForTooLong : LeaderRules
    {
        public override bool HasLease(long? leaseFrom, long arrivedAt, LeaderTimes times) => leaseFrom is { } from && arrivedAt < from + (2 * times.Lease);
    }

    internal sealed class JoinsRound : LeaderRules
    {
        public override bool HasLease(long? leaseFrom, long arrivedAt, LeaderTimes times) => false;

        public override bool Proves(long sentAt, long lastSentAt) => sentAt >= lastSentAt;
    }
}
