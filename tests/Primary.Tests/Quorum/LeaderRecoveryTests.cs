using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>From the first Seal to the confirmed epoch entry.</summary>
public class LeaderRecoveryTests
{
    private readonly QuorumRig _rig = new(5);

    [Fact]
    public void H1_An_emptied_follower_neither_votes_nor_counts_and_the_write_is_there_when_the_other_is_back()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        var entry = first.Append();
        _rig.Run();
        Assert.Equal(entry.End, first.Core.Confirmed);
        first.Kill();
        _rig.Nodes[0].Empty();
        _rig.Nodes[2].Heal();
        _rig.Nodes[1].Cut();
        var second = _rig.Lead(3, epoch: 2, _rig.Set(1, 2, 3));
        _rig.Advance(10_000_000);
        Assert.Equal(LeaderPhase.Sealing, second.Core.Phase);
        _rig.Nodes[1].Heal();
        _rig.Run();
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        _rig.CheckHolds(_rig.Nodes[2]);
    }

    [Fact]
    public void H1_One_that_says_it_is_no_member_counts_for_nothing_any_more()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].HoldsDisk = true;
        _rig.Nodes[0].HoldsDisk = true;
        var entry = leader.Append();
        _rig.Run();
        leader.Do(actions => leader.Core.Receive(_rig.Nodes[1].Journal, new NotMember(leader.Promise, "its disk is empty"), _rig.Now, actions));
        _rig.Nodes[0].HoldsDisk = false;
        _rig.Run();
        Assert.NotEqual(entry.End, leader.Core.Confirmed);
        Assert.False(leader.Core.HasQuorum && _rig.Nodes[2].HoldsDisk && leader.Core.StatusOf(_rig.Nodes[1].Journal)!.Value.State != MemberState.Excluded);
        _rig.Nodes[2].HoldsDisk = false;
        _rig.Run();
        Assert.Equal(entry.End, leader.Core.Confirmed);
    }

    [Fact]
    public void H2_A_follower_that_was_not_sealed_is_taken_over_by_the_first_append_of_the_higher_epoch()
    {
        var zombie = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.CanReach = (leader, node) => leader == zombie || node.Number != 3;
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3));
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        zombie.Append();
        _rig.Run();
        Assert.Equal(1UL, zombie.Core.Confirmed.Sequence);
        Assert.Equal(LossReason.Superseded, zombie.Loss!.Reason);
        Assert.Equal(second.Promise, zombie.Loss.Higher);
        _rig.CanReach = (_, _) => true;
        _rig.Run();
        Assert.Equal(second.Core.Appended, _rig.Nodes[2].Log.Last);
    }

    [Fact]
    public void H3_Two_leaderships_of_one_epoch_refuse_each_other_and_only_one_confirms()
    {
        var one = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), run: false);
        var two = _rig.Lead(2, epoch: 1, _rig.Set(1, 2, 3), run: false);
        _rig.Run();
        Assert.Single([one, two], leader => leader.Core.Phase == LeaderPhase.Lost);
    }

    [Fact]
    public void H4_An_ack_for_what_is_not_in_the_leaders_log_counts_for_nothing()
    {
        var leader = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3));
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        var entry = leader.Append();
        _rig.Run();
        _rig.Nodes[1].Heal();
        leader.Connect();
        foreach (var acked in new[] { entry.End with { Hash = new(9, 9) }, entry.End with { Epoch = 1 }, new Position(2, 99, new(1, 1)), new Position(1, 2, new(1, 1)) })
        {
            leader.Do(actions => leader.Core.Receive(_rig.Nodes[1].Journal, new Acked(leader.Promise, acked), _rig.Now, actions));
        }

        Assert.NotEqual(entry.End, leader.Core.Confirmed);
        _rig.Run();
        Assert.Equal(entry.End, leader.Core.Confirmed);
    }

    [Fact]
    public void H4_An_uncut_tail_is_not_taken_for_the_leaders_entry()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        var tail = first.Append();
        _rig.Run();
        first.Kill();
        _rig.Nodes[0].Cut();
        _rig.Nodes[1].Heal();
        _rig.Nodes[2].Heal();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3));
        Assert.Equal(tail.End.Sequence, second.Core.Confirmed.Sequence); // H17: the sequence is used again
        Assert.Equal(2U, second.Core.Confirmed.Epoch);
        _rig.Nodes[0].Heal();
        _rig.Run();
        Assert.Equal(second.Core.Appended, _rig.Nodes[0].Log.Last);
        Assert.DoesNotContain(_rig.Nodes[0].Log.Entries, entry => entry.End == tail.End);
    }

    [Fact]
    public void The_greatest_is_adopted_and_not_the_longest()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        for (var i = 0; i < 5; i++)
        {
            first.Append(); // on node 1 alone
        }

        _rig.Run();
        first.Kill();
        _rig.Nodes[0].Cut();
        _rig.Nodes[1].Heal();
        _rig.Nodes[2].Heal();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3));
        second.Kill();
        _rig.Nodes[2].Cut();
        _rig.Nodes[0].Heal();
        var third = _rig.Lead(1, epoch: 3, _rig.Set(1, 2, 3));
        Assert.Equal(LeaderPhase.Leading, third.Core.Phase);
        Assert.Equal(second.Core.Appended, third.Core.Adopted);
    }

    [Fact]
    public void Entries_of_an_older_epoch_are_confirmed_only_with_one_of_this_epoch_behind_them()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        var entry = first.Append();
        _rig.Run();
        first.Kill();
        var second = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), run: false);
        second.HoldsAdopt = true;
        _rig.Run();
        Assert.Equal((LeaderPhase.Opening, entry.End), (second.Core.Phase, second.Core.Adopted)); // Q have all of it, and have said so
        Assert.Equal(Position.Start, second.Core.Confirmed);
        Assert.DoesNotContain(_rig.Sent, sent => sent.Message is Mark mark && mark.Promise == second.Promise); // H16
        second.OpenEpoch(second.Said.Single(action => action.Kind == LeaderActionKind.Adopt));
        _rig.Run();
        Assert.Equal((LeaderPhase.Leading, second.Core.Appended), (second.Core.Phase, second.Core.Confirmed));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(14)]
    [InlineData(18)]
    [InlineData(25)]
    [InlineData(40)]
    public void A_higher_epoch_ends_it_at_every_step(int steps)
    {
        _rig.HalfWritten();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3, 4, 5), run: false);
        Steps(steps);
        var third = _rig.Lead(3, epoch: 3, _rig.Set(1, 2, 3, 4, 5));
        _rig.Advance(3_000_000);
        Assert.Equal(LeaderPhase.Leading, third.Core.Phase);
        if (second.Core.Phase == LeaderPhase.Leading)
        {
            second.Append(); // it was quick, and has nobody told yet
            _rig.Run();
        }

        Assert.Equal((LossReason.Superseded, third.Promise), (second.Loss!.Reason, second.Loss.Higher));
        Assert.All(_rig.Nodes, node => Assert.Equal(third.Core.Appended, node.Log.Last));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Streams_that_break_at_every_step_only_cost_time(bool isOwn)
    {
        for (var steps = 0; steps < 40; steps++)
        {
            var rig = new QuorumRig(5);
            rig.HalfWritten();
            var second = rig.Lead(2, epoch: 2, rig.Set(1, 2, 3, 4, 5), run: false);
            Steps(rig, steps);
            foreach (var node in rig.Nodes.Where(node => (node == second.Node) == isOwn))
            {
                second.Disconnect(node);
            }

            rig.Advance(3_000_000);
            Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
            var entry = second.Append();
            rig.Run();
            Assert.All(rig.Nodes, node => Assert.Equal(entry.End, node.Log.Last));
        }
    }

    [Fact]
    public void A_set_of_a_later_epoch_ends_it()
    {
        var leader = _rig.Lead(1, epoch: 5, _rig.Set(1, 2, 3), run: false);
        leader.Connect();
        var sets = new KnownSets(new(6, 1, new(1, 1)), new(null, _rig.Set(3, 4, 5)));
        leader.Do(actions => leader.Core.Receive(_rig.Nodes[2].Journal, new Promised(leader.Promise, sets.DecidedAt, Position.Start, Position.Start, sets), _rig.Now, actions));
        Assert.Equal(LossReason.NewerSet, leader.Loss!.Reason);
    }

    [Fact]
    public void An_epoch_that_the_log_has_used_is_not_used_again()
    {
        var first = _rig.Lead(1, epoch: 4, _rig.Set(1));
        first.Kill();
        var again = _rig.Lead(1, epoch: 4, _rig.Set(1), with: start => start with { Promise = first.Promise });
        Assert.Equal(LossReason.EpochUsed, again.Loss!.Reason);
    }

    [Fact]
    public void Who_is_not_in_the_set_in_force_gives_up_before_it_changes_anything()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        first.Kill();
        var second = _rig.Lead(4, epoch: 2, _rig.Set(1, 2, 3));
        Assert.Equal(LossReason.NotFollower, second.Loss!.Reason);
        Assert.All(_rig.Nodes.Take(3), node => Assert.Equal(1U, node.Log.Last.Epoch));
    }

    [Fact]
    public void Own_tail_that_was_not_adopted_is_cut()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3, 4, 5));
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        _rig.Nodes[3].Cut();
        _rig.Nodes[4].Cut();
        var tail = first.Append();
        _rig.Run();
        first.Kill();
        _rig.Nodes[0].Cut();
        for (var i = 1; i < 5; i++)
        {
            _rig.Nodes[i].Heal();
        }

        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3, 4, 5));
        second.Append();
        _rig.Run();
        second.Kill();
        _rig.Nodes[0].Heal();
        var third = _rig.Lead(1, epoch: 3, _rig.Set(1, 2, 3, 4, 5));
        Assert.Equal(second.Core.Appended, third.Core.Adopted);
        Assert.False(_rig.Nodes[0].Log.Holds(tail.End));
        _rig.CheckHolds(_rig.Nodes[0]);
    }

    [Fact]
    public void A_leader_whose_log_ends_before_the_others_begin_gets_a_base_first()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        for (var i = 0; i < 5; i++)
        {
            first.Append();
        }

        _rig.Run();
        var to = _rig.Nodes[0].Log.Entries[3].End;
        first.Do(actions => first.Core.Trim(to, _rig.Now, actions));
        _rig.Run();
        Assert.Equal(to, _rig.Nodes[1].Log.First);
        first.Kill();
        _rig.Nodes[2].Heal();
        var second = _rig.Lead(3, epoch: 2, _rig.Set(1, 2, 3));
        Assert.Contains(second.Fetches, fetch => fetch.Kind == LeaderActionKind.FetchBase && fetch.Position == to);
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        Assert.Equal(first.Core.Appended, second.Core.Adopted);
        Assert.Equal(to, _rig.Nodes[2].Log.First);
        Assert.NotNull(_rig.Nodes[2].Core.Sets);
    }

    private void Steps(int steps) => Steps(_rig, steps);

    private static void Steps(QuorumRig rig, int steps)
    {
        while (steps-- > 0)
        {
            _ = rig.Step(0) || rig.Write() || rig.Leaders.Any(leader => leader.Connect());
        }
    }
}
