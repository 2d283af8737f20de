namespace ReplicatedSqlite.Cluster.Tests;

public sealed class ReachCoreTests
{
    private const long Millisecond = 1000;

    private static readonly ReachTimes _times = ReachTimes.Default;
    private readonly ReachCore _core = new(_times);

    [Fact]
    public void The_first_round_trip_counts_as_it_is_and_later_ones_move_it_slowly()
    {
        Assert.Null(_core.RoundTrip);
        Ping(0, 80 * Millisecond);
        Assert.Equal(80 * Millisecond, _core.RoundTrip);
        Ping(200 * Millisecond, 160 * Millisecond);
        Assert.Equal(90 * Millisecond, _core.RoundTrip);
    }

    [Fact]
    public void Who_owes_an_answer_for_too_long_is_silent_then_lost_and_neither_when_it_answers()
    {
        Ping(0, Millisecond);
        _core.Sent(Millisecond);
        _core.Pass(Millisecond + _times.Silence);
        Assert.False(_core.IsSilent);
        _core.Pass(Millisecond + _times.Silence + 1);
        Assert.True(_core.IsSilent && !_core.IsLost && _core.IsAside(0));
        _core.Pass(Millisecond + _times.Loss + 1);
        Assert.True(_core.IsLost);
        _core.Answered(Millisecond, Millisecond + _times.Loss + 2);
        Assert.False(_core.IsSilent || _core.IsLost || _core.IsAside(0));
        Assert.Equal(_times.Loss + 2, _core.RoundTrip); // what was measured before says nothing any more
    }

    [Fact]
    public void A_later_ping_does_not_make_an_unanswered_one_younger()
    {
        _core.Sent(0);
        _core.Sent(_times.Silence);
        _core.Pass(_times.Silence + 1);
        Assert.True(_core.IsSilent);
    }

    [Fact]
    public void A_ping_that_fails_is_silence_at_once_and_loss_only_when_it_lasts()
    {
        _core.Sent(0);
        _core.PingFailed(Millisecond);
        Assert.True(_core.IsSilent);
        _core.Sent(200 * Millisecond);
        _core.PingFailed(201 * Millisecond);
        _core.Pass(_times.Loss);
        Assert.False(_core.IsLost);
        _core.Pass(_times.Loss + 1);
        Assert.True(_core.IsLost);
    }

    [Fact]
    public void Who_speaks_is_not_lost_however_long_its_answers_take()
    {
        _core.Sent(0);
        _core.Heard(_times.Loss);
        _core.Pass(_times.Loss + 1);
        Assert.True(_core.IsSilent && !_core.IsLost); // calls go elsewhere, streams go on
        _core.Pass((2 * _times.Loss) + 1);
        Assert.True(_core.IsLost);
        _core.Heard((2 * _times.Loss) + 2); // a new stream, for example
        Assert.False(_core.IsLost);
        _core.Heard(0); // what is told late makes nothing older
        _core.Pass((3 * _times.Loss) + 2);
        Assert.False(_core.IsLost);
        _core.Pass((3 * _times.Loss) + 3);
        Assert.True(_core.IsLost);
    }

    [Fact]
    public void Who_speaks_and_answers_nobody_is_lost_in_the_end()
    {
        _core.Sent(0);
        for (var now = 0L; now <= _times.LossAtMost; now += 100 * Millisecond)
        {
            _core.Heard(now);
            _core.Pass(now);
            Assert.False(_core.IsLost);
        }

        _core.Heard(_times.LossAtMost + 1);
        _core.Pass(_times.LossAtMost + 1);
        Assert.True(_core.IsLost);
        _core.Heard(_times.LossAtMost + 2);
        Assert.True(_core.IsLost);
        _core.Answered(0, _times.LossAtMost + 3);
        Assert.False(_core.IsLost);
    }

    [Fact]
    public void A_time_in_which_this_node_stood_still_makes_nobody_silent()
    {
        const long Pause = 60_000 * Millisecond;
        _core.Sent(0);
        _core.Paused(Pause, Pause);
        _core.Pass(Pause + _times.Silence);
        Assert.False(_core.IsSilent);
        _core.Pass(Pause + _times.Silence + 1);
        Assert.True(_core.IsSilent);
        _core.Paused(Pause, (2 * Pause) + _times.Loss);
        _core.Pass((2 * Pause) + _times.Loss);
        Assert.False(_core.IsLost);
        _core.Pass((2 * Pause) + _times.Loss + 1);
        Assert.True(_core.IsLost);
    }

    [Fact]
    public void A_time_in_which_this_node_stood_still_ends_no_streams_of_one_that_spoke()
    {
        _core.Sent(0);
        _core.Pass(600 * Millisecond);
        _core.Heard(5000 * Millisecond);
        _core.Paused(2000 * Millisecond, 7200 * Millisecond);
        _core.Pass(7200 * Millisecond);
        Assert.True(_core.IsSilent && !_core.IsLost);
        _core.Pass((7000 * Millisecond) + _times.Loss + 1);
        Assert.True(_core.IsLost);
    }

    [Fact]
    public void What_happened_within_a_pause_is_not_moved_into_the_future()
    {
        _core.PingFailed(900 * Millisecond);
        _core.Paused(1000 * Millisecond, 1000 * Millisecond);
        _core.Pass((1000 * Millisecond) + _times.Loss + 1);
        Assert.True(_core.IsLost);
    }

    [Fact]
    public void One_that_is_not_pinged_any_more_lives_as_long_as_it_speaks()
    {
        _core.Sent(0);
        _core.Heard(_times.LossAtMost + 1);
        _core.Pass(_times.LossAtMost + 1, isPinged: false);
        Assert.False(_core.IsLost);
        _core.Pass(_times.LossAtMost + 1 + _times.Loss + 1, isPinged: false);
        Assert.True(_core.IsLost);
    }

    [Fact]
    public void Each_failed_call_puts_it_aside_for_longer_up_to_a_bound_and_a_good_while_is_forgiven()
    {
        long now = 0;
        var expected = _times.AsideFirst;
        for (var i = 0; i < 10; i++)
        {
            _core.CallFailed(now);
            Assert.True(_core.IsAside(now + expected - 1), $"failure {i}");
            Assert.False(_core.IsAside(now + expected), $"failure {i}");
            now += expected;
            expected = Math.Min(expected * 2, _times.AsideAtMost);
        }

        now += _times.AsideAtMost;
        _core.CallFailed(now);
        Assert.False(_core.IsAside(now + _times.AsideFirst));
    }

    private void Ping(long sentAt, long takes)
    {
        _core.Sent(sentAt);
        _core.Answered(sentAt, sentAt + takes);
    }
}
