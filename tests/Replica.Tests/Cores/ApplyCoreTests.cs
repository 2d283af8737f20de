using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica.Tests;

public class ApplyCoreTests
{
    private readonly List<ApplyAction> _actions = [];

    [Fact]
    public void Entries_are_taken_hidden_and_shown_by_a_mark_that_names_one()
    {
        var core = Core(At(1, 5));
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        core.Entry(1, At(1, 7), At(1, 6), _actions);
        Expect(Do(ApplyActionKind.Append, At(1, 6)), Do(ApplyActionKind.Append, At(1, 7)));
        Assert.Equal((At(1, 5), At(1, 7), 2, false), (core.Visible, core.Received, core.Hidden, core.IsReady));
        core.Mark(1, At(1, 6), _actions);
        Expect(Do(ApplyActionKind.Publish, At(1, 6)));
        Assert.Equal((At(1, 6), 1, true), (core.Visible, core.Hidden, core.IsReady));
    }

    [Fact]
    public void A_mark_of_a_later_epoch_does_not_cover_an_abandoned_entry_below_it()
    {
        var core = Core(At(1, 5));
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        _actions.Clear();
        core.Mark(2, At(2, 6), _actions);
        Expect(Do(ApplyActionKind.Resubscribe, At(1, 5)));
        Assert.Equal(At(1, 5), core.Visible);
    }

    [Fact]
    public void A_mark_with_another_hash_shows_nothing()
    {
        var core = Core(At(1, 5));
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        _actions.Clear();
        core.Mark(1, At(1, 6) with { Hash = new ChainHash(7, 7) }, _actions);
        Expect(Do(ApplyActionKind.Resubscribe, At(1, 5)));
    }

    [Fact]
    public void A_new_epochs_entry_takes_the_place_of_an_unconfirmed_tail()
    {
        var core = Core(At(1, 5));
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        core.Entry(1, At(1, 7), At(1, 6), _actions);
        _actions.Clear();
        core.Entry(2, At(2, 7), At(1, 6), _actions);
        Expect(Do(ApplyActionKind.DiscardAfter, At(1, 6)), Do(ApplyActionKind.Append, At(2, 7)));
        core.Entry(2, At(2, 6), At(1, 5), _actions);
        Expect(Do(ApplyActionKind.DiscardAfter, At(1, 5)), Do(ApplyActionKind.Append, At(2, 6)));
    }

    [Fact]
    public void What_an_older_leadership_says_counts_for_nothing()
    {
        var core = Core(At(1, 5));
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        Assert.True(core.Hear(3));
        _actions.Clear();
        core.Mark(2, At(1, 6), _actions);
        core.Entry(2, At(2, 6), At(1, 5), _actions);
        Assert.False(core.Hear(2));
        Expect();
        Assert.Equal((At(1, 5), At(1, 6), 3u), (core.Visible, core.Received, core.Epoch));
    }

    [Fact]
    public void Repetitions_change_nothing_and_a_gap_asks_for_a_new_stream()
    {
        var core = Core(At(1, 5));
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        _actions.Clear();
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        core.Entry(1, At(1, 5), At(1, 4), _actions);
        core.Entry(1, At(1, 3), At(1, 2), _actions);
        Expect();
        core.Entry(1, At(1, 9), At(1, 8), _actions);
        Expect(Do(ApplyActionKind.Resubscribe, At(1, 6)));
    }

    [Fact]
    public void A_log_that_leaves_ours_below_what_was_confirmed_is_divergence()
    {
        var core = Core(At(1, 5));
        core.Entry(2, At(2, 6), At(1, 4), _actions);
        Expect(Do(ApplyActionKind.Diverged, At(1, 5)));
        core.Entry(2, At(1, 5) with { Hash = new ChainHash(7, 7) }, At(1, 4), _actions);
        Expect(Do(ApplyActionKind.Diverged, At(1, 5)));
        core.Mark(2, At(1, 5) with { Hash = new ChainHash(7, 7) }, _actions);
        Expect(Do(ApplyActionKind.Diverged, At(1, 5)));
    }

    [Fact]
    public void A_copy_whose_pages_may_be_newer_shows_nothing_until_it_has_passed_them()
    {
        var core = new ApplyCore(At(1, 5), At(1, 7));
        core.Mark(1, At(1, 5), _actions);
        Assert.False(core.IsReady);
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        core.Mark(1, At(1, 6), _actions);
        Assert.False(core.IsReady);
        core.Entry(1, At(1, 8), At(1, 6), _actions); // a group
        core.Mark(1, At(1, 8), _actions);
        Assert.True(core.IsReady);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(4)]
    public void A_copy_without_a_backlog_is_ready_at_the_first_mark(int marked)
    {
        var core = Core(At(1, 5));
        Assert.False(core.IsReady);
        core.Mark(1, At(1, marked), _actions);
        Expect(Do(ApplyActionKind.Publish, At(1, 5)));
        Assert.True(core.IsReady);
        core.Mark(1, At(1, marked), _actions);
        Expect();
    }

    [Fact]
    public void A_new_stream_forgets_what_is_hidden()
    {
        var core = Core(At(1, 5));
        core.Forget(_actions);
        Expect();
        core.Entry(1, At(1, 6), At(1, 5), _actions);
        _actions.Clear();
        core.Forget(_actions);
        Expect(Do(ApplyActionKind.DiscardAfter, At(1, 5)));
        Assert.Equal(0, core.Hidden);
    }

    private static ApplyCore Core(Position from) => new(from, from);

    private static Position At(uint epoch, int sequence) => new(epoch, (ulong)sequence, new ChainHash(epoch, (ulong)sequence));

    private static ApplyAction Do(ApplyActionKind kind, Position position) => new(kind, position);

    private void Expect(params ApplyAction[] actions)
    {
        Assert.Equal(actions, _actions);
        _actions.Clear();
    }
}
