using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public class HealthCoreTests
{
    private static readonly Promise Leader = new(3, 30);
    private static readonly Guid[] Journals = [.. Enumerable.Range(1, 5).Select(number => new Guid(number, 0, 0, new byte[8]))];
    private static readonly CandidateRank Best = new(IsFollower: true, 0, 0);

    private readonly List<HealthAction> _actions = [];
    private long _now = 10_000_000;

    [Fact]
    public void H21_A_lost_stream_is_waited_for_then_the_others_are_asked_and_R_losses_take_the_epoch()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        Pass(core, 499_999);
        Assert.Empty(_actions);
        Pass(core, 150_001);
        var round = Probes();
        core.Answered(Journals[0], round, Lost, _now, _actions);
        Assert.Empty(_actions);
        core.Answered(Journals[1], round, Lost, _now, _actions);
        Assert.Equal(3U, Assert.IsType<HealthAction.TakeEpoch>(Assert.Single(_actions)).Seen);
    }

    [Fact]
    public void H21_One_follower_with_a_bad_link_deposes_nobody()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        for (var attempt = 0; attempt < HealthTimes.Default.Attempts; attempt++)
        {
            Assert.NotNull(core.WakeAt);
            PassToWake(core);
            var round = Probes();
            core.Answered(Journals[0], round, Lost, _now, _actions);
            core.Answered(Journals[1], round, Hears, _now, _actions);
            core.Answered(Journals[2], round, null, _now, _actions);
        }

        Assert.IsType<HealthAction.GiveUp>(Assert.Single(_actions));
        Assert.Null(core.WakeAt);
        core.Wanted(_now);
        Assert.NotNull(core.WakeAt);
    }

    [Fact]
    public void A_probe_that_is_not_answered_ends_the_round_and_the_pauses_grow_to_a_bound()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        PassToWake(core);
        long longest = 0;
        for (var attempt = 1; attempt < HealthTimes.Default.Attempts; attempt++)
        {
            Probes();
            PassToWake(core); // nobody answers
            var from = _now;
            PassToWake(core);
            longest = Math.Max(longest, _now - from);
        }

        Assert.InRange(longest, HealthTimes.Default.RetryAtMost, HealthTimes.Default.RetryAtMost + HealthTimes.Default.Spread);
    }

    [Fact]
    public void A_stream_that_comes_back_in_time_ends_it()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        _now += 300_000;
        core.Heard(Leader);
        Assert.Null(core.WakeAt);
        core.Lost(Leader, _now);
        Pass(core, 400_000);
        Assert.Empty(_actions);
    }

    [Fact]
    public void An_ended_lease_spares_the_wait_and_not_the_probes()
    {
        var core = Candidate();
        core.LeaseEnded(Leader, _now);
        Pass(core, 150_001);
        var round = Probes();
        core.Answered(Journals[0], round, Hears, _now, _actions);
        core.Answered(Journals[1], round, Hears, _now, _actions);
        core.Answered(Journals[2], round, Lost, _now, _actions);
        Assert.Empty(_actions);
    }

    [Fact]
    public void A_newer_leadership_ends_it_and_answers_of_before_count_for_nothing()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        PassToWake(core);
        var round = Probes();
        core.Follow(new(4, 40), Set(3), Best);
        Assert.Null(core.WakeAt);
        core.Answered(Journals[0], round, Lost, _now, _actions);
        core.Answered(Journals[1], round, Lost, _now, _actions);
        Assert.Empty(_actions);
        core.Follow(Leader, Set(3), Best); // old news
        core.Lost(Leader, _now);
        Assert.Null(core.WakeAt);
    }

    [Fact]
    public void A_follower_that_promised_somebody_else_ends_the_attempt()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        PassToWake(core);
        var round = Probes();
        core.Answered(Journals[1], round, new ProbeAnswer(true, new(4, 40), default), _now, _actions);
        core.Answered(Journals[2], round, Lost, _now, _actions);
        core.Answered(Journals[0], round, Lost, _now, _actions);
        Assert.Empty(_actions);
        Assert.True(core.WakeAt > _now);
    }

    [Fact]
    public void Answers_of_strangers_of_other_rounds_and_twice_count_for_nothing()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        PassToWake(core);
        var round = Probes();
        core.Answered(Journals[4], round, Lost, _now, _actions);
        core.Answered(Journals[1], round - 1, Lost, _now, _actions);
        core.Answered(Journals[0], round, Lost, _now, _actions);
        core.Answered(Journals[0], round, Lost, _now, _actions);
        Assert.Empty(_actions);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 3)]
    public void R_losses_are_needed(int members, int needed)
    {
        var core = Candidate(members);
        core.Lost(Leader, _now);
        PassToWake(core);
        var round = Probes();
        for (var i = 0; i < needed; i++)
        {
            Assert.Empty(_actions);
            core.Answered(Journals[i], round, Lost, _now, _actions);
        }

        Assert.IsType<HealthAction.TakeEpoch>(Assert.Single(_actions));
    }

    [Fact]
    public void A_follower_goes_before_others_the_nearest_region_first_and_the_most_log_first()
    {
        CandidateRank[] ranks = [Best, new(true, 0, 1), new(true, 1, 1), new(true, 2, 1), new(false, 0, 0)];
        var waits = ranks.Select(rank =>
        {
            var core = new HealthCore(Journals[0], HealthTimes.Default with { Spread = 0 }, new Random(1));
            core.Follow(Leader, Set(3), rank);
            core.Lost(Leader, _now);
            return core.WakeAt;
        }).ToList();
        Assert.Equal(waits.Order(), waits);
        Assert.Equal(waits.Count, waits.Distinct().Count());
        Assert.True(new CandidateRank(false, 99, 99).Steps < 20);
    }

    [Fact]
    public void Who_sees_that_others_have_more_log_lets_them_go_first_once()
    {
        var core = Candidate();
        core.Lost(Leader, _now);
        PassToWake(core);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var round = Probes();
            core.Answered(Journals[0], round, Lost, _now, _actions);
            core.Answered(Journals[1], round, new ProbeAnswer(true, Leader, new(3, 9, default)), _now, _actions);
            if (attempt == 0)
            {
                Assert.Empty(_actions);
                PassToWake(core);
            }
        }

        Assert.IsType<HealthAction.TakeEpoch>(Assert.Single(_actions));
    }

    [Fact]
    public void An_attempt_that_came_to_nothing_is_repeated_and_one_that_succeeded_is_not()
    {
        var core = Taking();
        core.Took(false, _now, _actions);
        Assert.True(core.WakeAt >= _now + HealthTimes.Default.RetryAfter);
        core = Taking();
        core.Took(true, _now, _actions);
        Assert.Null(core.WakeAt);
    }

    [Fact]
    public void It_never_wakes_without_end_and_never_sleeps_while_the_leader_is_lost() => Seeds.ForEach(usual: 200, full: 10_000, seed =>
    {
        var random = new Random(seed);
        var core = new HealthCore(Journals[0], HealthTimes.Default, random);
        core.Follow(Leader, Set(3), Best);
        core.Lost(Leader, _now);
        for (var step = 0; step < 200; step++)
        {
            if (core.WakeAt is not { } at)
            {
                Assert.IsType<HealthAction.GiveUp>(_actions[^1]);
                core.Wanted(_now);
                continue;
            }

            Assert.True(at > _now || step == 0 || _actions.Count == 0);
            _now = Math.Max(_now, at);
            _actions.Clear();
            core.Pass(_now, _actions);
            Assert.False(core.WakeAt <= _now);
            foreach (var probe in _actions.OfType<HealthAction.Probe>().ToList())
            {
                ProbeAnswer? answer = random.Next(3) switch { 0 => null, 1 => Hears, _ => Lost };
                core.Answered(probe.Member, probe.Round, answer, _now, _actions);
            }

            if (_actions.OfType<HealthAction.TakeEpoch>().Any())
            {
                core.Took(false, _now, _actions);
            }
        }
    });

    private static ProbeAnswer Lost => new(true, Leader, new(3, 5, default));

    private static ProbeAnswer Hears => new(false, Leader, new(3, 5, default));

    private static FollowerSet Set(int members) => FollowerSet.Majority(Journals.Take(members));

    private static HealthCore Candidate(int members = 3)
    {
        var core = new HealthCore(Journals[0], HealthTimes.Default, new Random(1));
        core.Follow(Leader, Set(members), Best);
        return core;
    }

    private HealthCore Taking()
    {
        _actions.Clear();
        var core = Candidate();
        core.Lost(Leader, _now);
        PassToWake(core);
        var round = Probes();
        core.Answered(Journals[0], round, Lost, _now, _actions);
        core.Answered(Journals[1], round, Lost, _now, _actions);
        Assert.IsType<HealthAction.TakeEpoch>(Assert.Single(_actions));
        return core;
    }

    private int Probes()
    {
        var probes = _actions.Cast<HealthAction.Probe>().ToList();
        _actions.Clear();
        Assert.NotEmpty(probes);
        Assert.All(probes, probe => Assert.Equal(Leader.Activation, probe.Activation));
        return probes[0].Round;
    }

    private void Pass(HealthCore core, long microseconds)
    {
        _now += microseconds;
        core.Pass(_now, _actions);
    }

    private void PassToWake(HealthCore core)
    {
        _now = core.WakeAt!.Value;
        core.Pass(_now, _actions);
    }
}
