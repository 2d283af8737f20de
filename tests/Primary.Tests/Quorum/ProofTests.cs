using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>H12: what a read at the primary may rely on.</summary>
public class ProofTests
{
    private readonly QuorumRig _rig = new(5);

    [Fact]
    public void The_first_read_takes_a_round_and_those_after_it_the_lease_which_goes_on_while_reads_come()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        leader.Ask(1);
        Assert.Null(leader.ProofOf(1));
        _rig.Run();
        Assert.True(leader.ProofOf(1));
        for (var i = 2; i < 20; i++)
        {
            _rig.Advance(290_000);
            leader.Ask(i);
            Assert.True(leader.ProofOf(i));
        }

        Assert.InRange(Heartbeats(), 50, 60); // every 100 ms
        _rig.Advance(5_000_000);
        Assert.InRange(Heartbeats(), 60, 72); // and for a second more
    }

    [Fact]
    public void What_asks_on_its_own_account_has_one_round_and_no_heartbeats_go_on_for_it()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        for (var i = 1; i <= 20; i++)
        {
            leader.Ask(i, keepsLease: false);
            _rig.Run();
            Assert.True(leader.ProofOf(i));
            _rig.Advance(350_000); // longer than a lease
        }

        Assert.Equal(20, Heartbeats());
    }

    [Fact]
    public void H12_a_The_lease_counts_from_the_sending_and_not_from_the_ack()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[2].Cut();
        leader.Ask(1);
        _rig.Step(0); // to the own follower
        _rig.Now += 200_000;
        _rig.Run();
        Assert.True(leader.ProofOf(1));
        _rig.Loses = static message => message is Heartbeat;
        _rig.Now += 99_000;
        leader.Ask(2);
        Assert.True(leader.ProofOf(2));
        _rig.Now += 2_000;
        leader.Ask(3);
        Assert.Null(leader.ProofOf(3));
    }

    [Fact]
    public void H12_d_The_lease_is_looked_at_when_the_read_is_there()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        leader.Ask(1);
        _rig.Run();
        leader.IsPaused = true;
        _rig.Now += 1_000_000;
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3));
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        leader.IsPaused = false;
        leader.Ask(2);
        Assert.Null(leader.ProofOf(2));
        _rig.Run();
        Assert.False(leader.ProofOf(2));
        Assert.Equal(LossReason.Superseded, leader.Loss!.Reason);
    }

    [Fact]
    public void H12_e_A_read_does_not_join_a_round_that_began_before_it_came()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), times: new() { ReadLease = false });
        leader.Ask(1);
        for (var i = 2; i < 100; i++)
        {
            leader.Ask(i); // in the same microsecond
        }

        Assert.Equal(1, Heartbeats());
        _rig.Run();
        Assert.All(Enumerable.Range(1, 99), token => Assert.True(leader.ProofOf(token)));
        Assert.Equal(2, Heartbeats()); // one for the first, one shared by all others
    }

    [Fact]
    public void While_a_round_is_long_under_way_the_next_begins()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), times: new() { ReadLease = false });
        _rig.Nodes[1].HoldsDisk = true;
        leader.Ask(1);
        leader.Ask(2);
        Assert.Equal(1, Heartbeats());
        _rig.Now += 5_000;
        _rig.Wake();
        Assert.Equal(2, Heartbeats());
    }

    [Fact]
    public void H12_f_A_seal_is_no_resignation_and_a_resignation_ends_the_lease_at_both_ends()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        leader.Ask(1);
        _rig.Run();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3));
        Assert.Equal(LeaderPhase.Sealing, second.Core.Phase); // the followers keep to what they acknowledged
        leader.Do(actions => leader.Core.Resign(_rig.Now, actions));
        leader.Ask(2);
        Assert.False(leader.ProofOf(2));
        _rig.Run();
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
    }

    [Fact]
    public void Without_a_quorum_a_proof_fails_after_a_bound()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        leader.Ask(1);
        _rig.Advance(999_000);
        Assert.Null(leader.ProofOf(1));
        _rig.Advance(1_000);
        Assert.False(leader.ProofOf(1));
    }

    [Fact]
    public void Reads_that_wait_are_bounded()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), limits: new() { Proofs = 2 });
        leader.Ask(1);
        leader.Ask(2);
        leader.Ask(3);
        Assert.False(leader.ProofOf(3));
    }

    [Fact]
    public void Before_the_epoch_entry_is_confirmed_nothing_is_proven()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3), run: false);
        leader.HoldsAdopt = true;
        leader.Ask(1);
        _rig.Run();
        Assert.Null(leader.ProofOf(1));
        leader.OpenEpoch(leader.Said.Single(action => action.Kind == LeaderActionKind.Adopt));
        _rig.Run();
        Assert.True(leader.ProofOf(1));
    }

    [Fact]
    public void Acks_of_heartbeats_that_were_never_sent_and_of_strangers_count_for_nothing()
    {
        var leader = _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3));
        _rig.Loses = static message => message is Heartbeat;
        leader.Ask(1);
        foreach (var node in _rig.Nodes)
        {
            leader.Do(actions => leader.Core.Receive(node.Journal, new HeartbeatAcked(leader.Promise, _rig.Now + 1_000_000), _rig.Now, actions));
            leader.Do(actions => leader.Core.Receive(node.Journal, new HeartbeatAcked(new(1, 1), _rig.Now), _rig.Now, actions));
        }

        Assert.Null(leader.ProofOf(1));
        leader.Do(actions => leader.Core.Receive(_rig.Nodes[0].Journal, new HeartbeatAcked(leader.Promise, _rig.Now), _rig.Now, actions));
        leader.Do(actions => leader.Core.Receive(_rig.Nodes[4].Journal, new HeartbeatAcked(leader.Promise, _rig.Now), _rig.Now, actions));
        Assert.Null(leader.ProofOf(1));
    }

    private int Heartbeats() => _rig.Sent.Where(sent => sent.Message is Heartbeat).Select(sent => ((Heartbeat)sent.Message).SentAt).Distinct().Count();
}
