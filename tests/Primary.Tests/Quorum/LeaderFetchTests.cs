using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A new leader fetches what another follower has and it does not.</summary>
public class LeaderFetchTests
{
    private readonly QuorumRig _rig = new(5);

    [Fact]
    public void H22_The_holder_dies_before_the_fetch_and_the_others_will_do_if_they_are_R()
    {
        var holder = _rig.HalfWritten();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3, 4, 5), run: false);
        second.HoldsFetches = true;
        _rig.Run();
        var fetch = Assert.Single(second.Fetches);
        Assert.Equal((LeaderActionKind.Fetch, holder.Journal), (fetch.Kind, fetch.Member));
        holder.Cut();
        second.AnswerFetch(fetch);
        _rig.Run();
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase); // it was on one of five, so nobody was told
        Assert.Equal(1UL, second.Core.Adopted.Sequence);
    }

    [Fact]
    public void H22_The_holder_dies_within_the_fetch_and_what_came_is_kept_or_cut_but_never_torn()
    {
        var holder = _rig.HalfWritten();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3, 4, 5), run: false);
        (second.HoldsFetches, second.MostFetched) = (true, 2);
        _rig.Run();
        second.AnswerFetch(second.Fetches[0]);
        _rig.Run();
        Assert.Equal(2, second.Fetches.Count);
        holder.Cut();
        second.AnswerFetch(second.Fetches[1]);
        _rig.Run();
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        Assert.Equal(3UL, second.Core.Adopted.Sequence); // what the own disk has is not taken back
        holder.Heal();
        _rig.Run();
        Assert.Equal(second.Core.Appended, holder.Log.Last);
    }

    [Fact]
    public void H22_Without_R_others_the_holder_is_waited_for()
    {
        var holder = _rig.HalfWritten();
        _rig.Nodes[3].Cut();
        _rig.Nodes[4].Cut();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3, 4, 5), run: false);
        second.HoldsFetches = true;
        _rig.Run();
        holder.Cut();
        second.AnswerFetch(second.Fetches[0]);
        _rig.Advance(5_000_000);
        Assert.NotEqual(LeaderPhase.Leading, second.Core.Phase);
        second.HoldsFetches = false;
        holder.Heal();
        _rig.Advance(20_000_000);
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        Assert.Equal(holder.Log.Entries[^2].End, second.Core.Adopted);
    }

    [Fact]
    public void A_fetch_that_brings_nothing_ends_after_a_while_and_is_not_believed_later()
    {
        _rig.HalfWritten();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3, 4, 5), run: false);
        second.HoldsFetches = true;
        _rig.Run();
        _rig.Advance(9_000_000);
        Assert.Equal(LeaderPhase.Fetching, second.Core.Phase);
        _rig.Advance(2_000_000);
        Assert.Equal(LeaderPhase.Leading, second.Core.Phase);
        second.AnswerFetch(second.Fetches[0]);
        _rig.Run();
        Assert.Equal(1UL, second.Core.Adopted.Sequence);
    }

    [Fact]
    public void What_a_holder_sends_is_checked_against_what_it_promised()
    {
        var holder = _rig.HalfWritten();
        var second = _rig.Lead(2, epoch: 2, _rig.Set(1, 2, 3, 4, 5), run: false);
        second.HoldsFetches = true;
        _rig.Run();
        var fetch = second.Fetches[0];
        var other = _rig.Build(fetch.Position, 1, writes: 9); // as long as the whole tail, and not it
        second.Do(actions => second.Core.Fetched(fetch.Member, fetch.Position, [other], _rig.Now, actions));
        _rig.Run();
        Assert.DoesNotContain(_rig.Nodes, node => node.Log.Holds(other.End));
        Assert.NotEqual(holder.Log.Last, second.Core.Adopted);
    }
}
