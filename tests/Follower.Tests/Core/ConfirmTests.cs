using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Follower.Tests.Logs;

namespace ReplicatedSqlite.Follower.Tests;

public class ConfirmTests
{
    [Fact]
    public void H13_A_mark_confirms_exactly_the_entry_that_it_names()
    {
        var log = First(3, out var builder);
        var follower = Led(log);
        builder.CutTo(log[1].End);
        var other = builder.OpenEpoch(2);
        follower.Do(Compare(Two, log[1].End), stream: 2);
        follower.Do(new Mark(Two, other.End), stream: 2); // its entry has not come; (1,3), which is here, is less
        Assert.Equal(Position.Start, follower.Core.Confirmed);
        follower.Do(Append(Two, other), stream: 2);
        follower.Do(new Mark(Two, other.End), stream: 2);
        Assert.Equal(other.End, follower.Core.Confirmed);
    }

    [Fact]
    public void A_mark_behind_what_the_leader_has_compared_confirms_nothing()
    {
        var log = First(3);
        var follower = Led(log);
        follower.Do(Compare(Two, log[0].End), stream: 2);
        follower.Do(new Mark(Two, log[2].End), stream: 2);
        Assert.Equal(Position.Start, follower.Core.Confirmed);
        follower.Do(new Mark(Two, log[0].End), stream: 2);
        Assert.Equal(log[0].End, follower.Core.Confirmed);
    }

    [Fact]
    public void H8_Only_what_is_confirmed_and_here_is_trimmed_and_only_for_the_promised_leader()
    {
        var log = First(4);
        var follower = Led(log);
        follower.Do(new Mark(One, log[2].End));
        follower.Do(new Trim(One, log[3].End));
        follower.Do(new Trim(One, log[1].End with { Hash = default }));
        Assert.Equal(Position.Start, follower.DiskFirst);
        Assert.Equal([new Refused(new Promise(1, 0xBB), One, false)], follower.Do(new Trim(new(1, 0xBB), log[1].End), stream: 2));
        follower.Do(new Trim(One, log[1].End));
        Assert.Equal(log[1].End, follower.DiskFirst);
        follower.Do(new Trim(One, log[0].End));
        Assert.Equal(log[1].End, follower.DiskFirst);
    }

    [Fact]
    public void H27_Entries_below_the_base_are_skipped_when_they_lead_to_it()
    {
        var log = First(6);
        var follower = Led(log[..4]);
        follower.Do(new Mark(One, log[2].End));
        follower.Do(new Trim(One, log[2].End));
        Assert.Equal([new Acked(One, log[5].End)], follower.Do(Append(One, log)));
        Assert.Equal([new Mismatched(One, log[0].End, log[2].End, log[2].End)], follower.Do(Append(One, log[1])));
    }

    [Fact]
    public void A_start_empties_the_log_and_is_acknowledged_once_that_is_on_disk()
    {
        var log = First(8);
        var follower = Led(log[..3]);
        var sets = new KnownSets(log[5].End, new(null, Three1));
        Assert.Empty(follower.Hear(new StartAt(One, log[6].End, sets)));
        Assert.Equal([new Acked(One, log[6].End)], follower.Write());
        Assert.Equal((log[6].End, log[6].End), (follower.DiskFirst, follower.DiskLast));
        Assert.Equal((log[6].End, sets), (follower.Core.Confirmed, follower.Core.Sets));
        Assert.Equal([new Acked(One, log[7].End)], follower.Do(Append(One, log[7])));
    }

    [Fact]
    public void A_start_that_comes_twice_or_late_empties_nothing()
    {
        var log = First(8);
        var follower = Led(log[..3]);
        follower.Do(new StartAt(One, log[5].End, null));
        follower.Do(Append(One, log[6..]));
        follower.Ordered.Clear();
        Assert.Equal([new Acked(One, log[7].End)], follower.Do(new StartAt(One, log[5].End, null)));
        follower.Do(new Mark(One, log[7].End));
        follower.Do(new Trim(One, log[7].End));
        Assert.IsType<Mismatched>(Assert.Single(follower.Do(new StartAt(One, log[5].End, null))));
        Assert.DoesNotContain("WriteStart", follower.Ordered);
    }

    [Fact]
    public void A_start_below_what_is_confirmed_here_is_divergence()
    {
        var log = First(4);
        var follower = Led(log);
        follower.Do(new Mark(One, log[3].End));
        follower.Do(new StartAt(Two, log[2].End with { Hash = default }, null), stream: 2);
        Assert.Contains(follower.Others, action => action is FollowerAction.Diverged);
        Assert.Equal(log[3].End, follower.DiskLast);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void H5_A_base_never_stands_without_the_sets_that_go_with_it(int written)
    {
        var builder = new LogBuilderWithSets();
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Do(Append(One, builder.Epoch(1, new(null, Three1))));
        var (baseAt, sets) = (new Position(2, 50, default), new KnownSets(new(2, 40, default), new(Three1, Three2)));
        follower.Do(new Seal(Two), stream: 2);
        follower.Hear(new StartAt(Two, baseAt, sets), stream: 2);
        follower.Write(count: written, stream: 2);
        follower.Crash();
        var known = follower.Core.Sets!;
        Assert.Equal(follower.DiskFirst == baseAt ? sets : known with { Sets = new(null, Three1) }, known);
        Assert.Equal(written >= 2, follower.DiskFirst == baseAt);
    }

    [Fact]
    public void H5_The_sets_of_an_epoch_entry_are_known_once_it_is_on_disk_and_unknown_when_it_is_cut()
    {
        var builder = new LogBuilderWithSets();
        var one = builder.Epoch(1, new(null, Three1));
        var two = builder.Epoch(2, new(Three1, Three2));
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Do(Append(One, one));
        follower.Do(Append(Two, two), stream: 2);
        Assert.Equal(new KnownSets(two.End, new(Three1, Three2)), Assert.IsType<Promised>(Assert.Single(follower.Do(new Seal(Two), stream: 2))).Sets);

        var three = builder.Behind(one).Epoch(3, new(null, Three1));
        follower.Do(Append(Three, three), stream: 3);
        Assert.Equal(new KnownSets(three.End, new(null, Three1)), follower.Core.Sets);
        follower.Crash();
        Assert.Equal(new KnownSets(three.End, new(null, Three1)), follower.Core.Sets);
    }

    [Theory]
    [InlineData(0, 2)] // nothing was written: the old log with its own change
    [InlineData(1, 2)] // the promise
    [InlineData(2, 1)] // the cut
    [InlineData(3, 1)] // the note: the entry did not come
    [InlineData(4, 3)]
    public void H5_A_crash_in_the_middle_of_a_cut_leaves_the_sets_of_the_log_that_is_there(int written, uint decidedBy)
    {
        var builder = new LogBuilderWithSets();
        var one = builder.Epoch(1, new(null, Three1));
        var two = builder.Epoch(2, new(Three1, Three2));
        var follower = new FollowerDriver();
        follower.Do(Append(One, one));
        follower.Do(Append(Two, two), stream: 2);
        var three = builder.Behind(one).Epoch(3, new(null, Three1));
        follower.Hear(Append(Three, three), stream: 3);
        follower.Write(count: written, stream: 3);
        follower.Crash();
        Assert.Equal(decidedBy, follower.Core.Sets!.DecidedAt.Epoch);
        Assert.Equal(decidedBy, follower.Core.Appended.Epoch);
    }

    [Fact]
    public void H5_That_a_change_is_confirmed_is_remembered_over_a_restart()
    {
        var builder = new LogBuilderWithSets();
        var one = builder.Epoch(1, new(null, Three1));
        var two = builder.Epoch(2, new(Three1, Three2));
        var follower = new FollowerDriver();
        follower.Do(Append(Two, one, two));
        follower.Do(new Mark(Two, two.End));
        follower.Crash();
        var promised = Assert.IsType<Promised>(Assert.Single(follower.Do(new Seal(Two), stream: 2)));
        Assert.Equal((two.End, two.End), (promised.Confirmed, promised.Sets!.DecidedAt));
        Assert.Equal([one.End, two.End], follower.DiskNote!.Sets.Select(sets => sets.DecidedAt));
        follower.Do(new Trim(Two, two.End), stream: 2);
        Assert.Equal(two.End, Assert.Single(follower.Core.AllSets).DecidedAt);
    }

    [Fact]
    public void Hundreds_of_epochs_that_were_never_confirmed_fit_into_one_note()
    {
        var builder = new LogBuilderWithSets();
        var follower = new FollowerDriver();
        follower.Do(Append(new(1, 1), builder.Epoch(1, new(null, Three1))), stream: 1);
        Entry last = null!;
        for (uint epoch = 2; epoch < 400; epoch++)
        {
            last = builder.Epoch(epoch, new(null, Three1));
            follower.Do(Append(new(epoch, epoch), last), stream: (int)epoch);
        }

        Assert.Equal(FollowerNote.MaxSets, follower.DiskNote!.Sets.Length);
        follower.Crash();
        Assert.Equal(last.End, follower.Core.Sets!.DecidedAt);
    }

    private static FollowerDriver Led(IReadOnlyList<Entry> log)
    {
        var follower = new FollowerDriver();
        follower.Do(new Seal(One));
        follower.Do(Append(One, log));
        return follower;
    }

    private sealed class LogBuilderWithSets
    {
        private readonly Testing.LogBuilder _builder = new(Database);

        public Entry Epoch(uint epoch, FollowerSets sets) => _builder.OpenEpoch(epoch, followerSets: sets.Encode());

        public LogBuilderWithSets Behind(Entry entry)
        {
            _builder.CutTo(entry.End);
            return this;
        }
    }
}
