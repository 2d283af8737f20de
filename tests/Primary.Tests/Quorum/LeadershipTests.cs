using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A leader at work: entries, windows, catching up, marks, trimming, and its end.</summary>
public class LeadershipTests
{
    private static readonly LeaderLimits Small = new() { WindowBytes = 2_000, WindowEntries = 4, ReadBytes = 1_000, PartBytes = 100 };
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
        Assert.All(_rig.Nodes.Take(nodes), node => Assert.Equal((entry.End, entry.End), (node.Log.Last, node.Core.Confirmed)));
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
        Assert.Equal((leader.Core.Appended, leader.Core.Appended), (_rig.Nodes[2].Log.Last, _rig.Nodes[2].Core.Confirmed));
        Assert.Equal(MemberState.Live, leader.Core.StatusOf(_rig.Nodes[2].Journal)!.Value.State);
    }

    [Fact]
    public void What_is_on_the_way_to_a_slow_follower_is_bounded_and_slows_nobody()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), limits: Small);
        _rig.Nodes[2].HoldsDisk = true;
        var from = _rig.Sent.Count;
        for (var i = 0; i < 50; i++)
        {
            leader.Append();
            _rig.Run();
            Assert.Equal(leader.Core.Appended, leader.Core.Confirmed);
        }

        var slow = _rig.Nodes[2].Journal;
        Assert.InRange(_rig.Sent.Skip(from).Where(sent => sent.Member == slow).Sum(sent => sent.Message is AppendPart { IsLast: true } ? 1 : (sent.Message as Append)?.Entries.Length ?? 0), 1, 4);
        Assert.Equal(MemberState.Behind, leader.Core.StatusOf(slow)!.Value.State);
        _rig.Nodes[2].HoldsDisk = false;
        _rig.Run();
        Assert.Equal(leader.Core.Appended, _rig.Nodes[2].Log.Last);
    }

    [Fact]
    public void H9_A_large_entry_goes_in_parts_and_a_stream_that_breaks_between_them_leaves_no_half()
    {
        for (var steps = 0; steps < 30; steps++)
        {
            var rig = new QuorumRig(3);
            var leader = rig.Lead(1, epoch: 1, rig.Set(1, 2, 3), limits: Small);
            var entry = leader.Append();
            Assert.True(entry.Encoded.Length > 100);
            for (var i = 0; i < steps; i++)
            {
                _ = rig.Step(i) || rig.Write();
            }

            leader.Disconnect(rig.Nodes[1]);
            leader.Disconnect(rig.Nodes[2]);
            rig.Run();
            Assert.All(rig.Nodes, node => Assert.Equal(entry.End, node.Log.Last));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void H9_Parts_that_are_lost_are_sent_once_more_and_contradict_nothing(bool beforeTheFirstAck)
    {
        var late = _rig.Nodes[2];
        late.Cut();
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), limits: Small);
        for (var i = 0; i < 3; i++)
        {
            leader.Append();
            _rig.Run();
        }

        var (acks, parts) = (0, 0);
        _rig.Loses = message =>
            (beforeTheFirstAck && message is Acked { Position.Sequence: 0 } && acks++ == 0)
            || (message is AppendPart { Number: 1, FirstSequence: 2 } && parts++ == 0);
        var from = _rig.Sent.Count;
        late.Heal();
        _rig.Run();
        Assert.Equal((beforeTheFirstAck, true), (acks > 0, parts > 0));
        Assert.DoesNotContain(leader.Said, action => action.Kind == LeaderActionKind.Diverged);
        Assert.Equal((leader.Core.Appended, leader.Core.Appended), (late.Log.Last, late.Core.Confirmed));
        Assert.InRange(_rig.Sent.Skip(from).Count(sent => sent.Member == late.Journal && sent.Message is AppendPart { Number: 0, FirstSequence: 2 }), 2, 3);
    }

    [Fact]
    public void H6_Messages_that_come_twice_or_late_change_nothing()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        for (var i = 0; i < 5; i++)
        {
            leader.Append();
            _rig.Run();
        }

        foreach (var (member, message) in _rig.Sent.ToList())
        {
            var stream = _rig.NextStream();
            _rig.Find(member)!.Open(stream, leader);
            _rig.Find(member)!.Receive(stream, (LeaderMessage)message);
            _rig.Run();
        }

        foreach (var old in leader.Node.Log.Entries)
        {
            leader.Do(actions => leader.Core.Receive(_rig.Nodes[1].Journal, new Acked(leader.Promise, old.End), _rig.Now, actions));
            leader.Do(actions => leader.Core.Receive(_rig.Nodes[1].Journal, new Mismatched(leader.Promise, old.End, old.Predecessor, Position.Start), _rig.Now, actions));
        }

        _rig.Run();
        var entry = leader.Append();
        _rig.Run();
        Assert.Equal(entry.End, leader.Core.Confirmed);
        Assert.All(_rig.Nodes.Take(3), node => Assert.Equal(entry.End, node.Log.Last));
    }

    [Fact]
    public void A_message_that_is_lost_is_made_good_by_a_mismatch_or_by_a_new_stream()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        var lost = leader.Append();
        _rig.Loses = message => message is Append append && append.Entries.Contains(lost) && append.Entries.Length == 1;
        _rig.Run();
        Assert.NotEqual(lost.End, leader.Core.Confirmed);
        _rig.Loses = null;
        leader.Append(); // what follows does not fit
        _rig.Run();
        Assert.Equal(leader.Core.Appended, leader.Core.Confirmed);

        _rig.Loses = static message => message is Append;
        var last = leader.Append();
        _rig.Run();
        _rig.Loses = null;
        _rig.Advance(6_000_000); // nothing follows
        Assert.Contains(leader.Said, action => action.Kind == LeaderActionKind.Reconnect);
        Assert.Equal(last.End, leader.Core.Confirmed);
    }

    [Fact]
    public void H27_A_log_with_many_other_epochs_is_matched_in_a_round_trip_an_epoch()
    {
        var first = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        first.Append();
        _rig.Run();
        first.Kill();

        // Node 3 collects a tail of four epochs that nobody else hears of.
        var at = _rig.Nodes[2].Log.Last;
        for (uint epoch = 2; epoch <= 8; epoch += 2)
        {
            var opening = _rig.BuildEpoch(at, epoch, new(null, _rig.Set(1, 2, 3)));
            _rig.Nodes[2].Log.Append(opening);
            at = opening.End;
            for (var i = 0; i < 30; i++)
            {
                var entry = _rig.Build(at, epoch, 1);
                _rig.Nodes[2].Log.Append(entry);
                at = entry.End;
            }
        }

        _rig.Nodes[2].Restart();
        var leader = first;
        for (uint epoch = 3; epoch <= 9; epoch += 2)
        {
            leader = _rig.Lead(1, epoch, _rig.Set(1, 2, 3));
            leader.Append();
            _rig.Run();
            leader.Kill();
        }

        leader = _rig.Lead(1, epoch: 11, _rig.Set(1, 2, 3));
        var from = _rig.Sent.Count;
        _rig.Nodes[2].Heal();
        _rig.Advance(500_000); // it was started just now, and may have given a lease before
        Assert.Equal(leader.Core.Appended, _rig.Nodes[2].Log.Last);
        Assert.InRange(_rig.Sent.Skip(from).Count(sent => sent.Message is Append { Entries.IsEmpty: true }), 1, 6);
    }

    [Fact]
    public void Marks_name_only_what_was_sent_and_go_to_everybody()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        var entry = leader.Append();
        _rig.Run();
        Assert.Equal(3, _rig.Sent.Count(sent => sent.Message is Mark mark && mark.Position == entry.End));
    }

    [Fact]
    public void A_trim_goes_to_who_has_that_much_and_to_the_others_when_they_do()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        for (var i = 0; i < 8; i++)
        {
            leader.Append();
        }

        _rig.Run();
        var to = leader.Node.Log.Entries[4].End;
        leader.Do(actions => leader.Core.Trim(to, _rig.Now, actions));
        Assert.Throws<ArgumentOutOfRangeException>(() => leader.Do(actions => leader.Core.Trim(to with { Sequence = 99 }, _rig.Now, actions)));
        _rig.Run();
        Assert.Equal((to, to), (_rig.Nodes[0].Log.First, _rig.Nodes[1].Log.First));
        _rig.Nodes[2].Heal();
        _rig.Run();
        Assert.Equal((to, leader.Core.Appended), (_rig.Nodes[2].Log.First, _rig.Nodes[2].Log.Last));
    }

    [Fact]
    public void The_log_takes_only_what_follows()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1));
        var stranger = _rig.Build(leader.Core.Appended, 1, 1);
        leader.Append();
        Assert.Throws<InvalidOperationException>(() => leader.Append(stranger));
        var second = _rig.Lead(2, epoch: 1, _rig.Set(2), run: false);
        Assert.Throws<InvalidOperationException>(() => second.Append(_rig.BuildEpoch(Position.Start, 1, new(null, _rig.Set(2)))));
        second.HoldsAdopt = true;
        _rig.Run();
        Assert.Throws<InvalidOperationException>(() => second.Append(_rig.BuildEpoch(Position.Start, 1, new(null, _rig.Set(3)))));
    }

    [Fact]
    public void A_lost_quorum_is_told_promptly_and_so_is_its_return()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3, 4, 5));
        Assert.True(leader.Core.HasQuorum);
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        Assert.True(leader.Core.HasQuorum);
        _rig.Nodes[3].HoldsDisk = true; // its stream is there, and it does not answer
        var entry = leader.Append();
        _rig.Advance(1_400_000);
        Assert.True(leader.Core.HasQuorum);
        _rig.Advance(200_000);
        Assert.False(leader.Core.HasQuorum);
        _rig.Advance(20_000_000);
        Assert.False(leader.Core.HasQuorum);
        _rig.Nodes[3].HoldsDisk = false;
        _rig.Run();
        Assert.True(leader.Core.HasQuorum);
        Assert.Equal(entry.End, leader.Core.Confirmed);
        Assert.Equal(
            [LeaderActionKind.QuorumBack, LeaderActionKind.QuorumLost, LeaderActionKind.QuorumBack],
            leader.Said.Select(action => action.Kind).Where(kind => kind is LeaderActionKind.QuorumBack or LeaderActionKind.QuorumLost));
    }

    [Fact]
    public void Without_a_quorum_from_the_start_that_is_said_after_a_while()
    {
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        Assert.DoesNotContain(leader.Said, action => action.Kind == LeaderActionKind.QuorumLost);
        _rig.Advance(1_600_000);
        Assert.Contains(leader.Said, action => action.Kind == LeaderActionKind.QuorumLost);
    }

    [Fact]
    public void H25_A_leadership_that_let_its_idle_grain_go_goes_on_without_an_epoch_entry()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        leader.Append();
        _rig.Run();
        leader.Kill();
        var again = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), with: start => start with { Promise = leader.Promise, Resumed = leader.Core.Appended });
        Assert.Equal(LeaderPhase.Leading, again.Core.Phase);
        var entry = again.Append();
        again.Ask(1);
        _rig.Run();
        Assert.Equal(entry.End, again.Core.Confirmed);
        Assert.True(again.ProofOf(1));
    }

    [Fact]
    public void H3_Without_its_log_it_does_not_go_on()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        var before = leader.Core.Appended;
        leader.Append();
        _rig.Run();
        leader.Kill();
        var again = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), with: start => start with { Promise = leader.Promise, Resumed = before });
        Assert.Equal(LossReason.OwnJournal, again.Loss!.Reason);
    }

    [Fact]
    public void H23_A_leadership_is_passed_on_within_two_round_trips()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        leader.Ask(1);
        var entry = leader.Append();
        _rig.Run();
        var next = new Promise(2, 4711);
        Assert.Throws<ArgumentException>(() => leader.Do(actions => leader.Core.HandOver(next with { Epoch = 3 }, _rig.Now, actions)));
        leader.Do(actions => leader.Core.HandOver(next, _rig.Now, actions));
        leader.Ask(2);
        Assert.False(leader.ProofOf(2));
        _rig.Run();
        var promises = leader.Said.Single(action => action.Kind == LeaderActionKind.HandedOver).Promises!;
        Assert.All(promises, promise => Assert.Equal((next, entry.End), (promise.Answer.Promise, promise.Answer.Last)));
        Assert.Equal(LossReason.HandedOver, leader.Loss!.Reason);

        var from = _rig.Sent.Count;
        var now = _rig.Now;
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3), with: start => start with { Promise = next, Promises = [.. promises] });
        Assert.Equal((LeaderPhase.Leading, now), (second.Core.Phase, _rig.Now)); // no lease was waited for
        Assert.DoesNotContain(_rig.Sent.Skip(from), sent => sent.Message is Seal && promises.Any(promise => promise.Member == sent.Member));
        Assert.Equal(entry.End, second.Core.Adopted);
    }

    [Fact]
    public void H23_Anything_that_fails_on_the_way_is_an_ordinary_takeover()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        leader.Do(actions => leader.Core.HandOver(new Promise(2, 4711), _rig.Now, actions));
        _rig.Advance(2_000_000);
        Assert.Equal(LossReason.HandedOver, leader.Loss!.Reason);
        Assert.DoesNotContain(leader.Said, action => action.Kind == LeaderActionKind.HandedOver);
        _rig.Nodes[1].Heal();
        _rig.Nodes[2].Heal();
        Assert.Equal(LeaderPhase.Leading, _rig.Lead(3, epoch: 3, _rig.Set(1, 2, 3)).Core.Phase);
    }

    [Fact]
    public void An_idle_leader_asks_for_no_time_and_sends_nothing()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        leader.Append();
        leader.Ask(1);
        _rig.Advance(3_000_000);
        var from = _rig.Sent.Count;
        Assert.Null(leader.Core.WakeAt);
        _rig.Advance(60_000_000);
        Assert.Equal(from, _rig.Sent.Count);
    }
}
