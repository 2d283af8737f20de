using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A leadership that deletes its database.</summary>
public class TombstoneTests
{
    private readonly QuorumRig _rig = new(5);

    [Fact]
    public void A_database_is_deleted_when_R_followers_of_every_set_are_under_the_tombstone()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[0].Cut();
        _rig.Nodes[2].Cut();
        var deleting = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3), with: start => start with { Deletes = true });
        Assert.Equal(LeaderPhase.Sealing, deleting.Core.Phase);
        _rig.Nodes[2].Heal();
        _rig.Run();
        Assert.Equal(LeaderPhase.Deleted, deleting.Core.Phase);
        Assert.Contains(deleting.Said, action => action.Kind == LeaderActionKind.Deleted);
        Assert.True(_rig.Nodes[1].Core.Deleted && _rig.Nodes[2].Core.Deleted);

        _rig.Nodes[0].Heal();
        _rig.Run();
        Assert.Equal(LossReason.Deleted, leader.Loss!.Reason);
        Assert.True(_rig.Nodes[0].Core.Deleted); // who comes later gets it too
        Assert.Equal(LossReason.Deleted, _rig.Lead(1, epoch: 3, _rig.Set(1, 2, 3)).Loss!.Reason);
        var again = _rig.Lead(2, epoch: 4, _rig.Set(1, 2, 3), with: start => start with { Deletes = true });
        Assert.Equal(LeaderPhase.Deleted, again.Core.Phase);
    }

    [Fact]
    public void Who_gets_the_tombstone_late_contradicts_nothing_and_time_brings_nothing_more()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        first.Append();
        _rig.Run();
        var deleting = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3), with: start => start with { Deletes = true });
        Assert.Equal(LeaderPhase.Deleted, deleting.Core.Phase);
        _rig.Nodes[2].Heal(); // with a shorter log than the others had
        _rig.Run();
        Assert.True(_rig.Nodes[2].Core.Deleted);
        Assert.DoesNotContain(deleting.Said, action => action.Kind == LeaderActionKind.Diverged);
        _rig.Advance(5_000_000); // the rig says so if somebody wants to be woken for ever
    }
}
