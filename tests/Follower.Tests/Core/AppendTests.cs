using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Follower.Tests.Logs;

namespace ReplicatedSqlite.Follower.Tests;

public class AppendTests
{
    [Fact]
    public void H4_Entries_are_acknowledged_when_they_are_on_disk_and_not_before()
    {
        var log = First(3);
        var follower = Led();
        Assert.Empty(follower.Hear(Append(One, log)));
        Assert.Equal([new Acked(One, log[1].End)], follower.Write(count: 2));
        Assert.Equal([new Acked(One, log[2].End)], follower.Write());
    }

    [Fact]
    public void H4_A_follower_never_acknowledges_its_own_end_but_how_far_it_is_equal_to_the_leader()
    {
        var old = First(6, out var builder); // (1,1) to (1,6)
        var follower = Led();
        follower.Do(Append(One, old));
        builder.CutTo(old[3].End);
        Entry[] next = [builder.OpenEpoch(2)]; // (2,5) behind (1,4)
        Assert.Equal([new Acked(Two, old[2].End)], follower.Do(Compare(Two, old[2].End), stream: 2));
        Assert.Equal(old[5].End, follower.Core.Appended);
        Assert.Equal([new Acked(Two, next[0].End)], follower.Do(Append(Two, next), stream: 2));
    }

    [Fact]
    public void H4_Nothing_counts_for_a_new_leadership_that_it_has_not_compared()
    {
        var log = First(3);
        var follower = Led();
        follower.Do(Append(One, log));
        Assert.All(follower.Do(new Seal(Two), stream: 2), answer => Assert.IsNotType<Acked>(answer));
        follower.Hear(Compare(Two, log[0].End), stream: 2);
        Assert.Equal([new Acked(Two, log[0].End)], follower.Do(Compare(Two, log[0].End), stream: 2));
    }

    [Fact]
    public void H4_What_was_not_written_is_gone_after_a_crash_and_is_not_acknowledged()
    {
        var log = First(3);
        var follower = Led();
        follower.Hear(Append(One, log));
        follower.Write(count: 1);
        follower.Crash();
        Assert.Equal([new Mismatched(One, log[2].End, log[0].End, Position.Start)], follower.Do(Compare(One, log[2].End)));
        Assert.Equal([new Acked(One, log[2].End)], follower.Do(new Append(One, log[0].End, [log[1], log[2]])));
    }

    [Fact]
    public void H6_An_append_that_is_held_already_changes_nothing()
    {
        var log = First(5);
        var follower = Led();
        follower.Do(Append(One, log));
        follower.Ordered.Clear();
        Assert.Equal([new Acked(One, log[4].End)], follower.Do(Append(One, log[..2])));
        Assert.Empty(follower.Ordered);
        Assert.Equal(log[4].End, follower.Core.Appended);
    }

    [Fact]
    public void H6_A_late_copy_of_an_append_that_was_cut_is_a_mismatch_or_refused_and_cuts_nothing()
    {
        var old = First(3, out var builder);
        var follower = Led();
        follower.Do(Append(One, old));
        builder.CutTo(old[1].End);
        var next = builder.OpenEpoch(2);
        follower.Do(Append(Two, next), stream: 2);
        Assert.Equal([new Refused(One, Two, false)], follower.Do(Append(One, old)));
        Assert.Equal(next.End, follower.DiskLast);
    }

    [Fact]
    public void H6_A_cut_is_made_at_the_first_entry_that_differs_and_written_before_what_replaces_it()
    {
        var old = First(5, out var builder);
        var follower = Led();
        follower.Do(Append(One, old));
        builder.CutTo(old[2].End);
        var epoch = builder.OpenEpoch(2);
        var more = builder.Append(9);
        follower.Ordered.Clear();
        Assert.Equal([new Acked(Two, more.End)], follower.Do(new Append(Two, old[0].End, [old[1], old[2], epoch, more]), stream: 2));
        Assert.Equal(["WriteNote", "WriteCut", "WriteEntry", "WriteEntry"], follower.Ordered);
        Assert.Equal(more.End, follower.DiskLast);
    }

    [Fact]
    public void While_a_cut_is_on_its_way_only_what_both_logs_share_is_acknowledged()
    {
        var old = First(5, out var builder);
        var follower = Led();
        follower.Do(Append(One, old));
        builder.CutTo(old[1].End);
        var epoch = builder.OpenEpoch(2);
        follower.Hear(Append(Two, epoch), stream: 2);
        Assert.Equal([new Acked(Two, old[1].End)], follower.Write(count: 1, stream: 2)); // the promise alone
        Assert.Empty(follower.Write(count: 1, stream: 2)); // the cut
        Assert.Equal([new Acked(Two, epoch.End)], follower.Write(stream: 2));
    }

    [Fact]
    public void A_cut_of_what_is_not_written_yet_forgets_it()
    {
        var old = First(4, out var builder);
        var follower = Led();
        follower.Hear(Append(One, old));
        follower.Write(count: 2);
        builder.CutTo(old[2].End);
        var epoch = builder.OpenEpoch(2);
        follower.Hear(new Append(Two, old[2].End, [epoch]), stream: 2);
        Assert.Equal([new Mismatched(Two, old[3].End, old[2].End, Position.Start)], follower.Hear(Compare(Two, old[3].End), stream: 2));
        Assert.Equal([new Acked(Two, epoch.End)], follower.Write(stream: 2));
        Assert.Equal(epoch.End, follower.DiskLast);
    }

    [Fact]
    public void A_cut_below_what_is_confirmed_is_divergence_and_stops_the_follower()
    {
        var old = First(4, out var builder);
        var follower = Led();
        follower.Do(Append(One, old));
        follower.Do(new Mark(One, old[2].End));
        builder.CutTo(old[1].End);
        var epoch = builder.OpenEpoch(2);
        follower.Do(Append(Two, epoch), stream: 2);
        Assert.Contains(follower.Others, action => action is FollowerAction.Diverged);
        Assert.Equal(old[3].End, follower.DiskLast);
        Assert.IsType<NotMember>(Assert.Single(follower.Do(new Seal(Three), stream: 3)));
    }

    [Fact]
    public void H27_A_mismatch_names_the_end_of_the_run_below_so_that_a_leader_skips_an_epoch()
    {
        var one = First(4, out var builder);
        var two = new List<Entry> { builder.OpenEpoch(2), builder.Append(7), builder.Append(8) };
        var follower = Led();
        follower.Do(Append(Two, [.. one, .. two]), stream: 2);
        var elsewhere = new Position(3, 40, default);
        Assert.Equal([new Mismatched(Three, elsewhere, two[2].End, Position.Start)], follower.Do(Compare(Three, elsewhere), stream: 3));
        var between = new Position(1, 90, default);
        Assert.Equal([new Mismatched(Three, between, one[3].End, Position.Start)], follower.Do(Compare(Three, between), stream: 3));
    }

    [Fact]
    public void Entries_that_do_not_follow_on_each_other_end_the_stream()
    {
        var log = First(4);
        var follower = Led();
        follower.Do(new Append(One, Position.Start, [log[0], log[2]]));
        Assert.IsType<FollowerAction.CloseStream>(Assert.Single(follower.Others));
        Assert.Equal(Position.Start, follower.DiskLast);
        Assert.Empty(follower.Do(Append(One, log))); // what still comes on it is not looked at
    }

    [Fact]
    public void Who_sends_more_than_the_disk_takes_is_cut_off()
    {
        var log = First(4_097);
        var follower = Led();
        follower.Hear(Append(One, log[..4_096]));
        Assert.Empty(follower.Others);
        follower.Hear(Append(One, log[4_096..]));
        Assert.IsType<FollowerAction.CloseStream>(Assert.Single(follower.Others));
        follower.Write();
        Assert.Equal([new Acked(One, log[4_096].End)], follower.Do(Append(One, log[4_096..]), stream: 2));
    }

    [Fact]
    public void H9_An_entry_in_parts_is_there_when_it_is_whole_and_not_before()
    {
        var log = First(2);
        var follower = Led();
        follower.Do(Append(One, log[0]));
        var parts = Parts(One, log[1], 100).ToList();
        Assert.True(parts.Count > 2);
        foreach (var part in parts[..^1])
        {
            Assert.Empty(follower.Do(part));
        }

        Assert.Equal(log[0].End, follower.Core.Appended);
        Assert.Equal([new Acked(One, log[1].End)], follower.Do(parts[^1]));
    }

    [Fact]
    public void H9_An_unfinished_entry_is_dropped_at_a_seal_a_cut_and_when_its_stream_goes()
    {
        var log = First(3, out var builder);
        var parts = Parts(One, log[2], 100).ToList();
        var rest = new Action<FollowerDriver>[]
        {
            follower => Assert.Equal(log[1].End, Assert.IsType<Promised>(Assert.Single(follower.Do(new Seal(One)))).Last),
            follower =>
            {
                follower.Close(FollowerDriver.Stream);
                follower.Open(FollowerDriver.Stream, One.Activation);
            },
            follower => follower.Do(new Append(One, log[0].End, [builder.CutTo(log[0].End).Append(99)])),
        };
        foreach (var interrupt in rest)
        {
            var follower = Led();
            follower.Do(Append(One, log[0], log[1]));
            follower.Do(parts[0]);
            interrupt(follower);
            Assert.IsType<Mismatched>(Assert.Single(follower.Do(parts[1])));
        }
    }

    [Fact]
    public void H9_A_part_out_of_order_drops_the_entry_and_says_where_to_go_on()
    {
        var log = First(2);
        var follower = Led();
        follower.Do(Append(One, log[0]));
        var parts = Parts(One, log[1], 100).ToList();
        follower.Do(parts[0]);
        Assert.Equal([new Mismatched(One, log[0].End, log[0].End, Position.Start)], follower.Do(parts[2]));
        Assert.IsType<Mismatched>(Assert.Single(follower.Do(parts[1])));
    }

    [Fact]
    public void A_part_of_an_entry_that_does_not_follow_is_a_mismatch_before_the_rest_has_come()
    {
        var log = First(3);
        var follower = Led();
        follower.Do(Append(One, log[0]));
        Assert.Equal([new Mismatched(One, log[1].End, log[0].End, Position.Start)], follower.Do(Parts(One, log[2], 100).First()));
    }

    private static FollowerDriver Led()
    {
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        return follower;
    }
}
