using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage.Tests;

public sealed class UploadCoreTests
{
    private readonly UploadOptions _options = new() { LeastSnapshotBytes = 100 };
    private readonly List<UploadAction> _actions = [];
    private readonly StoredLog _nothing = new(Position.Start, Position.Start, 0, 0);

    [Fact]
    public void Nothing_is_asked_of_the_store_while_nothing_is_pending()
    {
        var core = new UploadCore(_options, isLeader: true, At(5), new StoredLog(At(5), At(2), 0, 0));
        core.Confirm(At(5), 0, Seconds(1), _actions);
        core.Advance(Seconds(10_000), _actions);
        Assert.Empty(_actions);
        Assert.Null(core.NextWake);
    }

    [Fact]
    public void What_is_confirmed_goes_after_ten_seconds_or_at_once_when_it_is_much()
    {
        var core = Leader();
        core.Confirm(At(6), 10, Seconds(1), _actions);
        Assert.Equal(Seconds(11), core.NextWake);
        core.Advance(Seconds(10.9), _actions);
        Assert.Empty(_actions);
        core.Advance(Seconds(11), _actions);
        Assert.Equal(At(5), Assert.IsType<UploadAction.Store>(Take()).After);
        core.Confirm(At(9), _options.SegmentBytes, Seconds(11.5), _actions);
        Assert.Empty(_actions); // one thing at a time
        core.Stored(At(6), 10, 1000, Seconds(12), _actions);
        Assert.Equal(At(6), Assert.IsType<UploadAction.Store>(Take()).After);
        core.Stored(At(9), _options.SegmentBytes, 1 << 30, Seconds(13), _actions);
        Assert.Empty(_actions);
        Assert.True(core.IsDone);
        Assert.Null(core.NextWake);
    }

    [Fact]
    public void A_new_leader_looks_at_the_store_first_and_goes_on_behind_what_is_there()
    {
        var core = new UploadCore(_options, isLeader: true, Position.Start);
        core.Confirm(At(9), 0, Seconds(0), _actions);
        core.Advance(Seconds(10), _actions);
        Assert.IsType<UploadAction.Find>(Take());
        core.Found(_nothing with { To = At(7) }, 1000, Seconds(10), _actions);
        Assert.Equal(At(7), Assert.IsType<UploadAction.Store>(Take()).After);
    }

    [Fact]
    public void A_follower_waits_a_minute_looks_and_does_nothing_when_the_primary_has()
    {
        var core = new UploadCore(_options, isLeader: false, Position.Start);
        core.Confirm(At(9), 0, Seconds(0), _actions);
        core.Advance(Seconds(59), _actions);
        Assert.Empty(_actions);
        core.Advance(Seconds(60), _actions);
        Assert.IsType<UploadAction.Find>(Take());
        core.Found(_nothing with { To = At(9) }, 1000, Seconds(61), _actions);
        Assert.Empty(_actions);
        Assert.Null(core.NextWake);

        core.Confirm(At(12), 0, Seconds(100), _actions);
        core.Advance(Seconds(160), _actions);
        Assert.IsType<UploadAction.Find>(Take());
        core.Found(_nothing with { To = At(10) }, 1000, Seconds(161), _actions);
        Assert.Equal(At(10), Assert.IsType<UploadAction.Store>(Take()).After); // the primary has not
    }

    [Fact]
    public void Failures_are_tried_again_ever_later_and_nothing_is_claimed_meanwhile()
    {
        var core = Leader();
        core.Confirm(At(6), 10, Seconds(0), _actions);
        core.Advance(Seconds(10), _actions);
        Take();
        core.Failed(Seconds(10), _actions);
        Assert.Equal(At(5), core.StoredTo);
        Assert.Equal(Seconds(11), core.NextWake);
        core.Advance(Seconds(11), _actions);
        Assert.IsType<UploadAction.Store>(Take());
        core.Failed(Seconds(11), _actions);
        Assert.Equal(Seconds(13), core.NextWake);
        for (var i = 0; i < 100; i++)
        {
            core.Advance(core.NextWake!.Value, _actions);
            Take();
            core.Failed(Seconds(1000 * (i + 1)), _actions);
        }

        Assert.Equal(Seconds(100_000) + _options.LongestPause, core.NextWake);
    }

    [Fact]
    public void A_snapshot_is_taken_when_the_log_exceeds_the_database_and_named_when_the_log_is_stored_up_to_its_end()
    {
        var core = Leader();
        Store(core, At(6), 150, databaseBytes: 200);
        Assert.Empty(_actions);
        Store(core, At(7), 51, databaseBytes: 200);
        Assert.IsType<UploadAction.TakeSnapshot>(Take());
        core.Taken(At(6), At(8), Seconds(50), _actions);
        Assert.Empty(_actions); // 8 is not stored
        Assert.Equal(At(2), core.Base);
        Store(core, At(8), 1, databaseBytes: 200);
        Assert.IsType<UploadAction.Publish>(Take());
        Assert.Equal(At(2), core.Base);
        core.Published(0, Seconds(60), _actions);
        Assert.Equal(At(6), core.Base);
        Assert.Null(core.NextWake);
    }

    [Fact]
    public void A_snapshot_that_fails_is_taken_anew_after_a_pause_and_the_base_stays()
    {
        var core = Leader();
        Store(core, At(6), 500, databaseBytes: 200);
        Assert.IsType<UploadAction.TakeSnapshot>(Take());
        core.SnapshotFailed(Seconds(100), _actions);
        Assert.Empty(_actions);
        Assert.Equal(At(2), core.Base);
        core.Advance(core.NextWake!.Value, _actions);
        Assert.IsType<UploadAction.TakeSnapshot>(Take());
    }

    [Fact]
    public void Where_the_log_no_longer_reaches_back_to_what_is_stored_a_snapshot_begins_the_chain_anew()
    {
        var core = new UploadCore(_options, isLeader: true, Position.Start);
        core.Confirm(At(9), 0, Seconds(0), _actions);
        core.Advance(Seconds(10), _actions);
        Take();
        core.Found(_nothing, 1000, Seconds(10), _actions);
        Assert.IsType<UploadAction.Store>(Take());
        core.LogGone(Seconds(11), _actions);
        Assert.IsType<UploadAction.TakeSnapshot>(Take());
        core.Taken(At(4), At(7), Seconds(12), _actions);
        Assert.Equal(At(4), Assert.IsType<UploadAction.Store>(Take()).After);
        core.Stored(At(9), 10, 1000, Seconds(13), _actions);
        Assert.IsType<UploadAction.Publish>(Take());
        Assert.Null(core.StoredTo); // without its snapshot that leads nowhere
        core.Published(0, Seconds(14), _actions);
        Assert.Equal((At(4), (Position?)At(9)), (core.Base, core.StoredTo));
    }

    [Fact]
    public void Whoever_asks_need_not_wait()
    {
        var core = Leader();
        core.Confirm(At(6), 10, Seconds(1), _actions);
        core.Ask(Seconds(1), _actions);
        Assert.IsType<UploadAction.Store>(Take());
    }

    private static Position At(ulong sequence) => new(1, sequence, new ChainHash(sequence, 0));

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private UploadCore Leader() => new(_options, isLeader: true, At(5), new StoredLog(At(5), At(2), 0, 0));

    private void Store(UploadCore core, Position to, long bytes, long databaseBytes)
    {
        core.Confirm(to, bytes, Seconds(0), _actions);
        core.Ask(Seconds(0), _actions);
        Assert.IsType<UploadAction.Store>(Take());
        core.Stored(to, bytes, databaseBytes, Seconds(1), _actions);
    }

    private UploadAction Take()
    {
        var action = Assert.Single(_actions);
        _actions.Clear();
        return action;
    }
}
