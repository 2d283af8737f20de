using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>H5: the follower set changes by epoch entries, and nothing is lost on the way.</summary>
public class SetChangeTests
{
    private readonly QuorumRig _rig = new(5);

    [Fact]
    public void H24_A_database_grows_and_shrinks_one_step_at_a_time()
    {
        var sets = new[] { _rig.Set(1), _rig.Set(1, 2, 3), _rig.Set(1, 2, 3, 4, 5), _rig.Set(1, 3, 5), _rig.Set(1) };
        LeaderRig? leader = null;
        for (var step = 0; step < sets.Length; step++)
        {
            leader?.Kill();
            leader = _rig.Lead(1, (uint)step + 1, sets[Math.Max(0, step - 1)], changeTo: sets[step]);
            Assert.Equal(LeaderPhase.Leading, leader.Core.Phase);
            Assert.Equal(sets[step], leader.Core.Sets!.Sets.Current);
            var entry = leader.Append();
            _rig.Run();
            Assert.Equal(entry.End, leader.Core.Confirmed);
            Assert.All(sets[step].Members, member => Assert.Equal(entry.End, _rig.Find(member)!.Log.Last));
        }
    }

    [Fact]
    public void Who_is_retired_hears_of_the_change_and_then_nothing_more()
    {
        _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3)).Kill();
        var leader = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), changeTo: _rig.Set(1, 2, 4), run: false);
        leader.HoldsAdopt = true;
        _rig.Run();
        leader.OpenEpoch(leader.Said.Single(action => action.Kind == LeaderActionKind.Adopt));
        _rig.Run();
        Assert.Contains(leader.Said, action => action.Kind == LeaderActionKind.Release && action.Member == _rig.Nodes[2].Journal);
        Assert.Equal(leader.Core.Sets!.DecidedAt, _rig.Nodes[2].Core.Confirmed);
        leader.Append();
        _rig.Run();
        Assert.Equal(leader.Core.Sets.DecidedAt, _rig.Nodes[2].Log.Last);
    }

    [Fact]
    public void A_change_is_confirmed_only_when_Q_of_each_set_have_it()
    {
        _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3)).Kill();
        _rig.Nodes[3].Cut();
        _rig.Nodes[4].Cut();
        var leader = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), changeTo: _rig.Set(1, 4, 5));
        Assert.Equal((LeaderPhase.Opening, Position.Start), (leader.Core.Phase, leader.Core.Confirmed));
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        _rig.Nodes[3].Heal();
        _rig.Run();
        Assert.Equal(LeaderPhase.Leading, leader.Core.Phase); // the old set had it before
        var entry = leader.Append();
        _rig.Run();
        Assert.Equal(entry.End, leader.Core.Confirmed); // by the new one alone
    }

    [Fact]
    public void H5_a_A_leadership_with_an_old_catalogue_is_led_to_the_new_set()
    {
        _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3)).Kill();
        var second = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), changeTo: _rig.Set(1, 2, 4));
        _rig.Nodes[1].Cut();
        var entry = second.Append();
        _rig.Run();
        Assert.Equal(entry.End, second.Core.Confirmed); // on 1 and 4
        second.Kill();
        _rig.Nodes[0].Cut();
        _rig.Nodes[1].Heal();
        var third = _rig.Lead(2, epoch: 3, _rig.Set(1, 2, 3)); // 2 and 3 are R of the old set
        Assert.Equal(LeaderPhase.Leading, third.Core.Phase);
        Assert.Equal(entry.End, third.Core.Adopted);
        Assert.Equal(_rig.Set(1, 2, 4), third.Core.Sets!.Sets.Current);
        _rig.CheckHolds(_rig.Nodes[1]);
    }

    [Fact]
    public void H5_a_And_waits_while_the_new_set_is_out_of_reach()
    {
        _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3)).Kill();
        var second = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), changeTo: _rig.Set(1, 2, 4));
        _rig.Nodes[1].Cut();
        var entry = second.Append();
        _rig.Run();
        second.Kill();
        _rig.Nodes[0].Cut();
        _rig.Nodes[3].Cut();
        _rig.Nodes[1].Heal();
        var third = _rig.Lead(2, epoch: 3, _rig.Set(1, 2, 3));
        _rig.Advance(10_000_000);
        Assert.Equal(LeaderPhase.Sealing, third.Core.Phase);
        Assert.False(third.Core.HasQuorum);
        _rig.Nodes[3].Heal();
        _rig.Run();
        Assert.Equal(entry.End, third.Core.Adopted);
    }

    [Fact]
    public void H5_b_A_catalogue_that_names_the_new_set_too_early_misleads_nobody_who_was_in_the_old_one()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        var entry = first.Append();
        _rig.Run();
        first.Kill();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(2, 4, 5)); // the change was never written
        Assert.Equal(_rig.Set(1, 2, 3), second.Core.Sets!.Sets.Current);
        Assert.Equal(entry.End, second.Core.Adopted);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 5)]
    [InlineData(5, 3)]
    [InlineData(3, 1)]
    public void H5_c_A_leader_that_dies_anywhere_in_a_change_leaves_one_that_can_be_finished(int from, int to)
    {
        for (var steps = 0; steps < 120; steps++)
        {
            var rig = new QuorumRig(5);
            var old = rig.Set([.. Enumerable.Range(1, from)]);
            var wanted = rig.Set([.. Enumerable.Range(1, to)]);
            var first = rig.Lead(1, epoch: 1, old);
            first.Append();
            rig.Run();
            first.Kill();
            var second = rig.Lead(1, epoch: 2, old, changeTo: wanted, run: false);
            for (var i = 0; i < steps; i++)
            {
                if (second.Core.Phase == LeaderPhase.Leading && second.Core.Appended == second.Core.Confirmed)
                {
                    second.Append();
                }

                _ = rig.Step(i) || rig.Write() || second.Connect();
            }

            second.Kill();
            var third = rig.Lead(1, epoch: 3, old);
            Assert.Equal(LeaderPhase.Leading, third.Core.Phase);
            Assert.Contains(third.Core.Sets!.Sets.Current, new[] { old, wanted });
            Assert.All(third.Core.Sets.Sets.Both, set => Assert.Contains(set, new[] { old, wanted }));
            rig.CheckHolds(rig.Nodes[0]);
        }
    }

    [Fact]
    public void An_unfinished_change_is_finished_before_another_begins()
    {
        _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3)).Kill();
        _rig.Nodes[3].Cut();
        _rig.Nodes[4].Cut();
        var second = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), changeTo: _rig.Set(1, 4, 5));
        Assert.Equal(LeaderPhase.Opening, second.Core.Phase);
        second.Kill();
        _rig.Nodes[3].Heal();
        _rig.Nodes[4].Heal();
        var third = _rig.Lead(1, epoch: 3, _rig.Set(1, 2, 3), changeTo: _rig.Set(1));
        Assert.Equal((LeaderPhase.Leading, _rig.Set(1, 4, 5), _rig.Set(1, 2, 3)), (third.Core.Phase, third.Core.Sets!.Sets.Current, third.Core.Sets.Sets.Old));
    }

    [Fact]
    public void A_new_follower_of_a_trimmed_log_begins_at_its_base_with_the_sets_there()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1));
        for (var i = 0; i < 6; i++)
        {
            first.Append();
        }

        _rig.Run();
        var to = _rig.Nodes[0].Log.Entries[4].End;
        first.Do(actions => first.Core.Trim(to, _rig.Now, actions));
        _rig.Run();
        first.Kill();
        var second = _rig.Lead(1, epoch: 2, _rig.Set(1), changeTo: _rig.Set(1, 2, 3));
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        Assert.Equal((to, second.Core.Appended), (_rig.Nodes[1].Log.First, _rig.Nodes[1].Log.Last));
        Assert.Equal([_rig.Set(1), _rig.Set(1, 2, 3)], _rig.Nodes[1].Core.AllSets.Select(sets => sets.Sets.Current));
    }

    [Fact]
    public void An_emptied_follower_comes_back_by_replacement()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        first.Append();
        _rig.Run();
        first.Kill();
        _rig.Nodes[2].Empty();
        var wanted = FollowerSet.Majority([_rig.Nodes[0].Journal, _rig.Nodes[1].Journal, _rig.Nodes[2].Journal]);
        var second = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), changeTo: wanted);
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        Assert.Equal(second.Core.Appended, _rig.Nodes[2].Log.Last);
    }
}
