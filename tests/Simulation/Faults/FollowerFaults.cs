using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A follower that decides one thing wrongly.</summary>
internal sealed class FollowerFault(Func<Guid, FollowerState, ILogView, FollowerTimes, long, FollowerCore> make) : Plant
{
    public override FollowerCore MakeFollower(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt) =>
        make(journal, recovered, log, times, startedAt);
}

/// <summary>Followers with one wrong decision each.</summary>
internal static class FollowerFaults
{
    internal sealed class EmptyDiskVotes(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        public override bool IsMember(Guid asked) => true;
    }

    internal sealed class AppendIsNoPromise(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override bool IsPromise(LeaderMessage message) => message is Seal;
    }

    internal sealed class AnyActivationOfAnEpoch(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override bool Refuses(Promise asked) => asked.Epoch < Promised.Epoch;
    }

    internal sealed class LowerEpochsAreTaken(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override bool Refuses(Promise asked) => false;
    }

    internal sealed class AcksItsOwnEnd(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override Position? AckPosition() => Durable;
    }

    internal sealed class AcksWhatIsNotOnDisk(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override Position? AckPosition() => Matched;
    }

    internal sealed class OldAppendCuts(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override Position? CutPlace(Position reached, bool differs) => reached != Log.Last ? reached : null;
    }

    internal sealed class SealTakenForResignation(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override bool MustWait(Promise asked, long now) => false;
    }

    internal sealed class LeaseTooShort(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override long LeaseEnd(Heartbeat heartbeat, long receivedAt) => receivedAt + 150_000;
    }

    internal sealed class PromiseIsNotKept(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override bool KeepsPromises => false;
    }

    internal sealed class MarkCoversAll(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
        : FollowerCore(journal, recovered, log, times, startedAt)
    {
        protected override Position? ConfirmedBy(Position mark) => Log.FloorOf(mark) is var floor && floor > Confirmed ? floor : null;
    }
}
