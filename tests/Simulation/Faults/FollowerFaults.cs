using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Primary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Simulation;

/// <summary>A follower that decides one thing wrongly.</summary>
internal sealed class FollowerFault(Func<Guid, FollowerState, ILogView, FollowerTimes, long, FollowerCore> make) : Plant
{
    public override FollowerCore MakeFollower(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt) =>
        make(journal, recovered, log, times, startedAt);
}

/// <summary>
/// Leaders that ask the followers beyond the R which they sealed only where they stand, which is enough as long as an Append is a promise; and followers for which it is none.
/// </summary>
/// <remarks>
/// Only a leader that has adopted already asks so. Before, the answer would count among its R promises although nothing was promised: a follower that gave it goes on acknowledging
/// entries of the older leadership, which confirms them with a third one whose Seal still waits for a lease, and the new leader adopts a log without them. Production cannot get there: it
/// sends nothing but Seals before it has adopted, RecoveryCore counts nothing but the answers to them, and FollowerCore gives such an answer only when its promise is on disk, so behind the end of the lease.
/// </remarks>
/// <param name="isPromise">Without the fault: the same leaders with right followers.</param>
internal sealed class AppendIsNoPromise(bool isPromise) : Plant
{
    public override FollowerCore MakeFollower(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt) => isPromise
        ? base.MakeFollower(journal, recovered, log, times, startedAt)
        : new FollowerFaults.AppendIsNoPromise(journal, recovered, log, times, startedAt);

    public override IEnumerable<LeaderMessage> ToFollower(FollowerHost follower, LeaderLink link, LeaderMessage message)
    {
        if (message is not Seal seal || seal.Promise.Epoch <= follower.Core.Promised.Epoch || link.IsOwn || link.Leader.Core.Phase is not (LeaderPhase.Opening or LeaderPhase.Leading))
        {
            return [message];
        }

        var log = follower.Log;
        link.Answer(new Promised(seal.Promise, log.Last, log.First, follower.Core.Confirmed, follower.Core.Sets));
        return [];
    }
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
}
