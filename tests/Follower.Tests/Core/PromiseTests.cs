using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Follower.Tests.Logs;

namespace ReplicatedSqlite.Follower.Tests;

public class PromiseTests
{
    [Fact]
    public void A_promise_is_answered_when_its_note_is_on_disk()
    {
        var follower = new FollowerDriver();
        Assert.Empty(follower.Hear(new Seal(One)));
        Assert.Equal([new Promised(One, Position.Start, Position.Start, Position.Start, null)], follower.Write());
        Assert.Equal(One, follower.DiskNote!.Promise);
    }

    [Fact]
    public void A_promise_names_the_end_of_what_is_on_disk_behind_everything_that_was_ordered_before()
    {
        var log = First(3);
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Hear(Append(One, log));
        follower.Hear(new Seal(Two), stream: 2);
        follower.Write(count: 3, stream: 2);
        Assert.Equal([new Promised(Two, log[2].End, Position.Start, Position.Start, null)], follower.Write(stream: 2));
    }

    [Theory]
    [InlineData(1, 0xA1ul, true)]
    [InlineData(2, 0xFFul, true)] // H3: the same epoch, handed out twice
    [InlineData(2, 0xA2ul, false)]
    [InlineData(3, 0xA3ul, false)]
    public void H3_A_lower_epoch_and_an_equal_one_of_another_activation_are_refused(uint epoch, ulong activation, bool isRefused)
    {
        var log = First(1);
        LeaderMessage[] messages =
        [
            new Seal(new(epoch, activation)), Append(new(epoch, activation), log), new Mark(new(epoch, activation), log[0].End), new Heartbeat(new(epoch, activation), 1),
            new Trim(new(epoch, activation), log[0].End), new StartAt(new(epoch, activation), new(1, 9, default), null), Parts(new(epoch, activation), log[0], 1_000).First(),
        ];
        foreach (var message in messages)
        {
            var follower = new FollowerDriver();
            follower.Do(new Seal(Two));
            var answers = follower.Do(message, stream: 2);
            Assert.Equal(isRefused, answers.Contains(new Refused(message.Promise, Two, Deleted: false)));
            Assert.Equal(isRefused ? Two : message.Promise, follower.Core.Promised);
            Assert.Equal(isRefused ? Position.Start : follower.DiskLast, follower.DiskLast);
        }
    }

    [Fact]
    public void H2_An_append_of_a_higher_epoch_is_a_promise_that_is_written_before_its_entries()
    {
        var log = First(2);
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Do(Append(One, log[0]));
        follower.Hear(Append(Two, log[1]), stream: 2);
        Assert.Equal(["WriteNote", "WriteEntry", "WriteNote", "WriteEntry"], follower.Ordered);
        follower.Write(stream: 2);
        Assert.Equal([new Refused(One, Two, false)], follower.Do(Append(One, log[0])));
    }

    [Fact]
    public void H2_What_is_held_already_is_not_acknowledged_to_a_higher_epoch_before_its_promise_is_on_disk()
    {
        var log = First(2);
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Do(Append(One, log));
        Assert.Empty(follower.Hear(Compare(Two, log[1].End), stream: 2));
        Assert.Equal([new Acked(Two, log[1].End)], follower.Write(stream: 2));
    }

    [Fact]
    public void H13_A_mark_and_a_heartbeat_of_a_higher_epoch_are_promises()
    {
        foreach (var message in new LeaderMessage[] { new Mark(Two, new(1, 1, default)), new Heartbeat(Two, 5) })
        {
            var follower = new FollowerDriver();
            follower.Do(new Seal(One));
            follower.Do(message, stream: 2);
            Assert.Equal(Two, follower.DiskNote!.Promise);
            Assert.Equal([new Refused(One, Two, false)], follower.Do(new Heartbeat(One, 1)));
        }
    }

    [Fact]
    public void The_same_promise_is_answered_again_without_a_new_note()
    {
        var log = First(3);
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Hear(Append(One, log));
        Assert.Empty(follower.Hear(new Seal(One), stream: 2));
        Assert.Equal([new Promised(One, log[2].End, Position.Start, Position.Start, null)], follower.Write(stream: 2));
        Assert.Single(follower.Ordered, "WriteNote");
    }

    [Fact]
    public void A_promise_survives_a_crash_once_it_was_answered_and_is_forgotten_with_its_note()
    {
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Hear(new Seal(Two), stream: 2);
        follower.Crash();
        Assert.Equal(One, follower.Core.Promised);
        Assert.Equal([new Refused(new Promise(1, 0xBB), One, false)], follower.Do(new Seal(new(1, 0xBB))));
    }

    [Fact]
    public void H11_A_deleted_database_takes_nothing_for_ever_but_says_again_that_it_is_deleted()
    {
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        Assert.Single(follower.Do(new Seal(Two, Deletes: true), stream: 2), new Promised(Two, default, default, default, null));
        follower.Crash();
        Assert.True(follower.Core.Deleted);
        Assert.Equal([new Refused(Three, Two, Deleted: true)], follower.Do(new Seal(Three), stream: 3));
        Assert.Equal([new Refused(Two, Two, Deleted: true)], follower.Do(Append(Two, First(1)), stream: 4));
        Assert.Equal([new Promised(Two, default, default, default, null)], follower.Do(new Seal(Two, Deletes: true), stream: 5));
        Assert.False(follower.Core.MayRead(Two));
    }

    [Fact]
    public void H11_A_deletion_empties_the_log_and_keeps_the_note()
    {
        var log = First(4);
        var follower = new FollowerDriver();
        follower.Do(Append(One, log));
        Assert.Equal([new Promised(Two, log[3].End, log[3].End, log[3].End, null)], follower.Do(new Seal(Two, Deletes: true), stream: 2));
        Assert.Equal((log[3].End, log[3].End), (follower.DiskFirst, follower.DiskLast));
        Assert.Equal(["WriteNote", "WriteEntry", "WriteEntry", "WriteEntry", "WriteEntry", "WriteNote", "WriteStart"], follower.Ordered);
        follower.Crash();
        Assert.Equal([new Refused(One, Two, Deleted: true)], follower.Do(Append(One, log)));
    }

    [Fact]
    public void The_log_may_be_read_by_the_promised_leadership_alone()
    {
        var follower = new FollowerDriver();
        Assert.False(follower.Core.MayRead(Promise.None));
        follower.Do(new Seal(One));
        Assert.True(follower.Core.MayRead(One));
        follower.Hear(new Seal(Two), stream: 2);
        Assert.False(follower.Core.MayRead(One));
    }

    [Fact]
    public void H1_Another_journal_than_the_one_asked_for_is_no_member()
    {
        var core = new FollowerDriver().Core;
        Assert.True(core.IsMember(FollowerDriver.Journal));
        Assert.False(core.IsMember(Id(9)));
    }
}
