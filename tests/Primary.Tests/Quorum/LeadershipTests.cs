using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

public class LeadershipTests
{
    private readonly QuorumRig _rig = new(5);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void A_new_database_gets_an_epoch_entry_and_then_writes(int nodes)
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set([.. Enumerable.Range(1, nodes)]));
        Assert.Equal(LeaderPhase.Leading, leader.Core.Phase);
        Assert.Equal(1UL, leader.Core.Confirmed.Sequence);
        var entry = leader.Append(writes: 3);
        _rig.Run();
        Assert.Equal(entry.End, leader.Core.Confirmed);
        Assert.All(_rig.Nodes.Take(nodes), node => Assert.Equal(entry.End, node.Log.Last));
        Assert.All(_rig.Nodes.Take(nodes), node => Assert.Equal(entry.End, node.Core.Confirmed));
    }

    [Fact]
    public void Writes_go_on_with_a_quorum_and_the_rest_catches_up()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        for (var i = 0; i < 20; i++)
        {
            leader.Append();
        }

        _rig.Run();
        Assert.Equal(leader.Core.Appended, leader.Core.Confirmed);
        _rig.Nodes[2].Heal();
        _rig.Run();
        Assert.Equal(leader.Core.Appended, _rig.Nodes[2].Log.Last);
        Assert.Equal(leader.Core.Appended, _rig.Nodes[2].Core.Confirmed);
    }

    [Fact]
    public void The_next_leadership_adopts_what_a_single_follower_has()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[1].Cut();
        var entry = first.Append();
        _rig.Run();
        Assert.Equal(entry.End, first.Core.Confirmed);
        first.Kill();
        _rig.Nodes[0].Cut();
        _rig.Nodes[1].Heal();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3));
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        Assert.Equal(entry.End, second.Core.Adopted);
        _rig.CheckHolds(_rig.Nodes[1]);
    }
}
