using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Follower.Tests.Logs;

namespace ReplicatedSqlite.Follower.Tests;

public class LeaseTests
{
    private const long Lease = 400_000;

    [Fact]
    public void H12_After_a_heartbeat_no_other_leadership_is_promised_for_400_ms_from_its_receipt()
    {
        var follower = Led();
        Assert.Equal([new HeartbeatAcked(One, 77)], follower.Hear(new Heartbeat(One, 77)));
        Assert.Empty(follower.Do(new Seal(Two), stream: 2));
        Assert.Empty(follower.Wait(Lease - 1, stream: 2));
        Assert.Equal(One, follower.Core.Promised);
        Assert.Equal(follower.Now + 1, follower.Core.WakeAt);
        follower.Wait(1, stream: 2);
        Assert.IsType<Promised>(Assert.Single(follower.Write(stream: 2)));
        Assert.Null(follower.Core.WakeAt);
    }

    [Fact]
    public void H12_An_append_of_another_leadership_waits_for_the_lease_too_and_what_follows_it_waits_behind_it()
    {
        var log = First(2);
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        Assert.Empty(follower.Do(Append(Two, log[0]), stream: 2));
        Assert.Empty(follower.Do(Append(Two, log[1]), stream: 2));
        Assert.Equal(Position.Start, follower.Core.Appended);
        follower.Wait(Lease, stream: 2);
        Assert.Equal([new Acked(Two, log[1].End)], follower.Write(stream: 2));
    }

    [Fact]
    public void H12_A_seal_that_waits_refuses_heartbeats_at_once()
    {
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        follower.Hear(new Seal(Two), stream: 2);
        Assert.Equal([new Refused(One, Two, Deleted: false)], follower.Hear(new Heartbeat(One, 2)));
        follower.Wait(Lease);
        Assert.Equal(Two, follower.Core.Promised);
    }

    [Fact]
    public void A_seal_whose_stream_went_while_it_waited_is_forgotten()
    {
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        follower.Hear(new Seal(Two), stream: 2);
        follower.Close(2);
        Assert.Equal([new HeartbeatAcked(One, 2)], follower.Hear(new Heartbeat(One, 2)));
        follower.Wait(Lease);
        Assert.Equal(One, follower.Core.Promised);
    }

    [Fact]
    public void Of_two_that_wait_the_higher_epoch_is_promised_and_the_other_is_told()
    {
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        follower.Hear(new Seal(Two), stream: 2);
        follower.Hear(new Seal(Three), stream: 3);
        Assert.Equal([new Refused(Two, Three, false)], follower.Wait(Lease, stream: 2));
        Assert.IsType<Promised>(Assert.Single(follower.Write(stream: 3)));
    }

    [Fact]
    public void H12_Entries_of_the_present_leader_are_taken_while_a_seal_waits()
    {
        var log = First(1);
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        follower.Hear(new Seal(Two), stream: 2);
        Assert.Equal([new Acked(One, log[0].End)], follower.Do(Append(One, log)));
        follower.Wait(Lease, stream: 2);
        Assert.Equal(log[0].End, Assert.IsType<Promised>(Assert.Single(follower.Write(stream: 2))).Last);
    }

    [Fact]
    public void H12_Only_the_leaders_own_resignation_ends_the_lease_sooner()
    {
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        Assert.Empty(follower.Hear(new Seal(Two), stream: 2));
        follower.Hear(new Resign(new(1, 0xBB)), stream: 3);
        follower.Hear(new Resign(Three), stream: 4);
        Assert.Equal(One, follower.Core.Promised);
        follower.Hear(new Resign(One));
        Assert.Equal(Two, follower.Core.Promised);
        Assert.Contains(new FollowerAction.Reply(2, new Promised(Two, default, default, default, null)), Written(follower));
    }

    [Fact]
    public void H12_A_restarted_follower_waits_as_if_it_had_acknowledged_a_heartbeat()
    {
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        follower.Crash();
        Assert.Empty(follower.Do(new Seal(Two), stream: 2));
        Assert.Empty(follower.Wait(Lease - 1, stream: 2));
        follower.Wait(1, stream: 2);
        Assert.IsType<Promised>(Assert.Single(follower.Write(stream: 2)));
    }

    [Fact]
    public void After_a_start_the_same_leadership_goes_on_at_once_and_a_new_database_need_not_wait()
    {
        var fresh = new FollowerDriver();
        Assert.IsType<Promised>(Assert.Single(fresh.Do(new Seal(One))));
        fresh.Crash();
        Assert.IsType<Promised>(Assert.Single(fresh.Do(new Seal(One))));
    }

    [Fact]
    public void A_heartbeat_is_acknowledged_only_when_its_promise_is_on_disk()
    {
        var follower = Led();
        Assert.Empty(follower.Hear(new Heartbeat(Two, 9), stream: 2));
        Assert.Equal([new HeartbeatAcked(Two, 9)], follower.Write(stream: 2));
    }

    [Fact]
    public void Too_much_that_waits_for_a_lease_ends_its_stream()
    {
        var follower = Led();
        follower.Hear(new Heartbeat(One, 1));
        for (var i = 0; i <= 4_096; i++)
        {
            follower.Hear(new Mark(Two, default), stream: 2);
        }

        Assert.Equal(2, Assert.IsType<FollowerAction.CloseStream>(Assert.Single(follower.Others)).Stream);
    }

    [Fact]
    public void A_leader_is_lost_500_ms_after_its_last_stream_went()
    {
        var follower = Led();
        Assert.False(follower.Core.HasLost(One.Activation, follower.Now + FollowerDriver.Second));
        follower.Close(FollowerDriver.Stream);
        Assert.False(follower.Core.HasLost(One.Activation, follower.Now + 499_999));
        Assert.True(follower.Core.HasLost(One.Activation, follower.Now + 500_000));
        follower.Open(7, One.Activation);
        Assert.False(follower.Core.HasLost(One.Activation, follower.Now + FollowerDriver.Second));
    }

    [Fact]
    public void A_leader_that_was_never_seen_is_lost_500_ms_after_the_start()
    {
        var follower = new FollowerDriver();
        Assert.False(follower.Core.HasLost(5, follower.Now + 499_999));
        Assert.True(follower.Core.HasLost(5, follower.Now + 500_000));
    }

    [Fact]
    public void A_leader_is_lost_when_another_was_promised_even_if_its_stream_is_open()
    {
        var follower = Led();
        follower.Do(new Seal(Two), stream: 2);
        Assert.True(follower.Core.HasLost(One.Activation, follower.Now));
    }

    [Fact]
    public void H25_Who_lets_an_idle_grain_go_is_not_lost()
    {
        var follower = Led();
        follower.Close(FollowerDriver.Stream, released: true);
        Assert.False(follower.Core.HasLost(One.Activation, follower.Now + (100 * FollowerDriver.Second)));
    }

    private static FollowerDriver Led()
    {
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        return follower;
    }

    private static List<FollowerAction> Written(FollowerDriver follower)
    {
        follower.Write();
        return follower.Others;
    }
}
