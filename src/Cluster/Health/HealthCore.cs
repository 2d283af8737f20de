using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Decides when a node that follows a database takes the leadership over. A mistake costs a moment's availability, never data.</summary>
/// <remarks>
/// A synchronous state machine of one database on one candidate node. It goes on only when R followers say that they have lost the leader's stream: then the
/// leader could not confirm anything anyway, so a follower with a bad link deposes nobody. Probes promise nothing. When the control plane says that the leader's lease
/// ended, the wait for a lost stream is spared, not the probes: a leader that its followers hear goes on without the control plane.
/// </remarks>
/// <param name="own">The own journal.</param>
/// <param name="times">How patient it is.</param>
/// <param name="random">Spreads the candidates.</param>
public sealed class HealthCore(Guid own, HealthTimes times, Random random)
{
    private readonly Dictionary<Guid, ProbeAnswer> _answers = [];
    private readonly HashSet<Guid> _asked = []; // and not answered
    private FollowerSet? _set;
    private Promise _leader;
    private CandidateRank _rank;
    private State _state;
    private long? _lostAt;
    private bool _leaseEnded;
    private long _due; // in Waiting and Probing
    private int _round;
    private int _attempts;
    private bool _ownIsBehind;

    private enum State
    {
        Following,
        Waiting,
        Probing,
        Taking,
        GaveUp,
    }

    /// <summary>Call <see cref="Pass"/> then; <see langword="null"/> when nothing waits for time.</summary>
    public long? WakeAt => _state is State.Waiting or State.Probing ? _due : null;

    /// <summary>Attempts since the leader was last heard.</summary>
    public int Attempts => _attempts;

    /// <summary>Somebody leads, as the catalogue or a promise says. Whatever was under way against the leader before ends.</summary>
    /// <param name="leader">The newest leadership that is known.</param>
    /// <param name="set">Its follower set.</param>
    /// <param name="rank">How well this node suits as the next one.</param>
    public void Follow(Promise leader, FollowerSet set, CandidateRank rank)
    {
        (_set, _rank) = (set, rank);
        if (leader != _leader && !_leader.Refuses(leader))
        {
            _leader = leader;
            Reset();
            _lostAt = null;
            _leaseEnded = false;
        }
    }

    /// <summary>The own follower has a stream of the leadership.</summary>
    public void Heard(Promise leader)
    {
        if (leader == _leader)
        {
            Reset();
            _lostAt = null;
        }
    }

    /// <summary>The own follower's stream of the leadership went, and not because its grain was idle.</summary>
    public void Lost(Promise leader, long now)
    {
        if (leader == _leader && _lostAt is null)
        {
            _lostAt = now;
            Wait(now + times.Loss);
        }
    }

    /// <summary>The control plane says that the leader's lease ended.</summary>
    public void LeaseEnded(Promise leader, long now)
    {
        if (leader == _leader && !_leaseEnded)
        {
            _leaseEnded = true;
            _attempts = 0;
            if (_state is State.Following or State.GaveUp or State.Waiting)
            {
                Wait(now);
            }
        }
    }

    /// <summary>A request wants the database and finds nobody who leads it: what was given up is tried again.</summary>
    public void Wanted(long now)
    {
        if (_state == State.GaveUp && (_lostAt is not null || _leaseEnded))
        {
            _attempts = 0;
            Wait(now);
        }
    }

    /// <summary>A follower answers a probe.</summary>
    /// <param name="member">Who.</param>
    /// <param name="round">As it was asked.</param>
    /// <param name="answer"><see langword="null"/> when it could not be asked.</param>
    /// <param name="now">When.</param>
    /// <param name="actions">Receives what to do.</param>
    public void Answered(Guid member, int round, ProbeAnswer? answer, long now, List<HealthAction> actions)
    {
        if (_state != State.Probing || round != _round || !_asked.Remove(member))
        {
            return;
        }

        if (answer is { } said)
        {
            if (said.Promised != _leader && said.Promised.Refuses(_leader))
            {
                Retry(now, actions); // somebody else was quicker; its leadership will be heard of
                return;
            }

            _answers[member] = said;
        }

        if (_answers.Values.Count(static one => one.HasLost) >= _set!.SealQuorum)
        {
            Take(now, actions);
        }
        else if (_asked.Count == 0)
        {
            Retry(now, actions); // too few: it may be the own link that is bad
        }
    }

    /// <summary>The shell tried to take the epoch and to lead.</summary>
    /// <param name="succeeded">This node leads now; else somebody was quicker, or it came to nothing.</param>
    /// <param name="now">When.</param>
    /// <param name="actions">Receives what to do.</param>
    public void Took(bool succeeded, long now, List<HealthAction> actions)
    {
        if (_state != State.Taking)
        {
            return;
        }

        if (succeeded)
        {
            Reset();
            (_lostAt, _leaseEnded) = (null, false);
        }
        else
        {
            Retry(now, actions);
        }
    }

    /// <summary>Time has passed.</summary>
    public void Pass(long now, List<HealthAction> actions)
    {
        if (!(now >= WakeAt))
        {
            return;
        }

        if (_state == State.Waiting)
        {
            Probe(now, actions);
        }
        else
        {
            Retry(now, actions);
        }
    }

    private void Wait(long from)
    {
        _state = State.Waiting;
        _due = from + (_rank.Steps * times.PerRank) + random.NextInt64(times.Spread + 1);
    }

    private void Probe(long now, List<HealthAction> actions)
    {
        if (_set is not { } set)
        {
            _state = State.Following;
            return;
        }

        _state = State.Probing;
        _due = now + times.ProbeWithin;
        _round++;
        _answers.Clear();
        _asked.Clear();
        foreach (var member in set.Members)
        {
            _asked.Add(member);
            actions.Add(new HealthAction.Probe(member, _leader.Activation, _round));
        }
    }

    private void Take(long now, List<HealthAction> actions)
    {
        // Once, those with more log are let go first: a leadership that need not fetch anything is there sooner.
        if (!_ownIsBehind && _answers.TryGetValue(own, out var mine)
            && CandidateRank.CountAhead(mine.Last, _answers.Values.Select(static answer => answer.Last)) is var ahead and > 0)
        {
            _ownIsBehind = true;
            _state = State.Waiting;
            _due = now + (Math.Min(ahead, 3) * times.PerRank);
            return;
        }

        _state = State.Taking;
        var reason = $"{_answers.Values.Count(static answer => answer.HasLost)} of {_set!.Members.Length} followers have lost epoch {_leader.Epoch}";
        actions.Add(new HealthAction.TakeEpoch(_leader.Epoch, reason));
    }

    private void Retry(long now, List<HealthAction> actions)
    {
        if (++_attempts >= times.Attempts)
        {
            _state = State.GaveUp;
            actions.Add(new HealthAction.GiveUp(_attempts));
            return;
        }

        var after = Math.Min(times.RetryAtMost, times.RetryAfter << Math.Min(_attempts - 1, 20));
        _state = State.Waiting;
        _due = now + after + random.NextInt64(times.Spread + 1);
    }

    private void Reset()
    {
        _state = State.Following;
        (_attempts, _ownIsBehind) = (0, false);
        _answers.Clear();
    }
}
