using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

public class ResumeTests
{
    [Fact]
    public void A_grain_whose_log_went_on_without_it_takes_another_epoch()
    {
        var (own, left, next) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        var resumed = new Position(3, 10, new ChainHash(1, 1));
        var decided = new Position(4, 11, new ChainHash(2, 2));
        var change = new FollowerSets(FollowerSet.Majority([own, left]), FollowerSet.Majority([own, next]));
        var start = new LeaderStart(new(Guid.NewGuid()), new(3, 7), own, change.Old!, new(decided, change)) { Resumed = resumed };
        var actions = new List<LeaderAction>();

        var core = new LeaderCore(start, new MemoryLog(), LeaderTimes.Default);
        core.Start(now: 0, actions);

        Assert.Equal(LeaderPhase.Lost, core.Phase);
        var lost = Assert.Single(actions);
        Assert.Equal(LossReason.OwnJournal, lost.Loss!.Reason);
        Assert.Equal(4U, lost.Loss.Higher!.Value.Epoch);
    }
}
