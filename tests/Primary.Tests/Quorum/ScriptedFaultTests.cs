using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>Rules whose breach needs such a course of events that random ones hardly ever meet it.</summary>
public class ScriptedFaultTests
{
    private readonly QuorumRig _rig = new(5);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Old_entries_that_a_quorum_has_may_still_be_abandoned_before_one_of_this_epoch_is_confirmed(bool isBroken)
    {
        var set = _rig.Set(1, 2, 3);
        var first = _rig.Lead(1, epoch: 1, set);
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        var entry = first.Append(); // on 1
        _rig.Run();
        first.Kill();
        _rig.Nodes[0].Cut();
        Heal(2, 3);
        var second = _rig.Lead(2, epoch: 2, set, run: false);
        second.HoldsAdopt = true;
        _rig.Run();
        _rig.Nodes[2].Cut();
        second.OpenEpoch(second.Said.Single(action => action.Kind == LeaderActionKind.Adopt)); // on 2
        _rig.Run();
        second.Kill();
        _rig.Nodes[1].Cut();
        Heal(1, 3);
        var third = _rig.Lead(1, epoch: 3, set, run: false, rules: isBroken ? new EveryEpoch() : null);
        third.HoldsAdopt = true;
        _rig.Run(); // its epoch entry does not come
        Assert.Equal((entry.End, entry.End), (third.Core.Adopted, _rig.Nodes[2].Log.Last));
        third.Kill();
        _rig.Nodes[0].Cut();
        Heal(2, 3);
        var fourth = _rig.Lead(2, epoch: 4, set);
        Assert.Equal(2U, fourth.Core.Adopted.Epoch);
        Assert.Equal(isBroken, Loses(_rig.Nodes[1]));
        Assert.Equal(isBroken, _rig.Divergences.Count > 0); // node 3 was told that it is confirmed, and does not let it go
        Assert.Equal(isBroken, fourth.Core.Phase != LeaderPhase.Leading);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_change_that_the_old_set_has_not_got_may_be_passed_by(bool isBroken)
    {
        _rig.Lead(1, epoch: 1, _rig.Set(1, 2, 3)).Kill();
        var second = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), changeTo: _rig.Set(1, 4, 5), run: false, rules: isBroken ? new NewSetAlone() : null);
        second.HoldsAdopt = true;
        _rig.Run();
        _rig.Nodes[1].Cut();
        _rig.Nodes[2].Cut();
        second.OpenEpoch(second.Said.Single(action => action.Kind == LeaderActionKind.Adopt));
        _rig.Run();
        Assert.Equal(isBroken, second.Core.Phase == LeaderPhase.Leading);
        second.Kill();
        foreach (var node in new[] { 0, 3, 4 })
        {
            _rig.Nodes[node].Cut();
        }

        Heal(2, 3);
        var third = _rig.Lead(2, epoch: 3, _rig.Set(1, 2, 3), run: false);
        Assert.Equal(isBroken, Record.Exception(() => _rig.Run()) is { Message: var found } && found.Contains("both confirmed", StringComparison.Ordinal));
        Assert.Equal(LeaderPhase.Leading, third.Core.Phase);
        Assert.Equal(isBroken, Loses(_rig.Nodes[1]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_ack_for_another_leaders_entry_would_confirm_what_nobody_has(bool isBroken)
    {
        var leader = _rig.Lead(1, epoch: 2, _rig.Set(1, 2, 3), rules: isBroken ? new EveryAck() : null);
        _rig.Nodes[2].Cut();
        leader.Disconnect(_rig.Nodes[1]);
        leader.Connect();
        _rig.Loses = static message => message is Append { Entries.IsEmpty: false };
        var entry = leader.Append();
        leader.Do(actions => leader.Core.Receive(_rig.Nodes[1].Journal, new Acked(leader.Promise, entry.End with { Hash = new(7, 7) }), _rig.Now, actions));
        _rig.Loses = null;
        leader.Do(actions => leader.Core.Receive(_rig.Nodes[0].Journal, new Acked(leader.Promise, entry.End), _rig.Now, actions));
        Assert.Equal(isBroken, leader.Core.Confirmed.Sequence == entry.End.Sequence);
    }

    private void Heal(params int[] numbers)
    {
        foreach (var number in numbers)
        {
            _rig.Nodes[number - 1].Heal();
        }
    }

    private bool Loses(FollowerRig node) => Record.Exception(() => _rig.CheckHolds(node)) is not null;

    private sealed class EveryEpoch : LeaderRules
    {
        public override bool MayConfirm(Promise promise, Position position) => true;
    }

    private sealed class NewSetAlone : LeaderRules
    {
        public override ImmutableArray<FollowerSet> SetsToConfirm(FollowerSets sets, bool isConfirmed) => [sets.Current];
    }

    private sealed class EveryAck : LeaderRules
    {
        public override bool Counts(Position acked, bool isInLog) => true;
    }
}
