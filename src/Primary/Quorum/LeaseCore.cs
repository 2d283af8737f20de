using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Primary;

/// <summary>Proves to reads that no other leadership can have confirmed anything: by a lease, or by a round to a quorum that began after the read came.</summary>
/// <remarks>
/// A synchronous state machine. It says when a heartbeat is to go out and takes the acks. Each heartbeat has a moment of its own, so that a round which
/// began in the microsecond before a read came is not taken for a later one.
/// </remarks>
internal sealed class LeaseCore(LeaderTimes times, LeaderLimits limits, LeaderRules rules)
{
    private readonly record struct Waiting(long Token, long LastSentAt, long Deadline);

    private readonly Queue<Waiting> _waiting = new();
    private long[] _sentAt = []; // of the newest heartbeat that a member acknowledged, by member; what it proves a round by
    private long[] _leaseFrom = []; // by member
    private QuorumNeed[] _needs = [];
    private long _lastSentAt = long.MinValue;
    private long _lastAskedAt = long.MinValue;
    private long _joinedAt = long.MinValue; // the newest heartbeat when the newest of those who wait came
    private bool _isOpen;

    /// <summary>Reads that wait.</summary>
    public int Count => _waiting.Count;

    /// <summary>The moment from which on the lease counts; <see langword="null"/> without one.</summary>
    public long? LeaseFrom => NthGreatest(_leaseFrom);

    /// <summary>Call <see cref="Pass"/> then.</summary>
    public long? WakeAt
    {
        get
        {
            long? at = _waiting.TryPeek(out var oldest) ? oldest.Deadline : null;
            return NextHeartbeat is { } next && !(at < next) ? next : at;
        }
    }

    private long? NextHeartbeat
    {
        get
        {
            if (!_isOpen)
            {
                return null;
            }

            if (_lastSentAt == long.MinValue)
            {
                return _waiting.Count > 0 ? long.MinValue : null;
            }

            // The next round goes soon for those who came since the last, and later again when none came back for the others.
            long? next = _waiting.Count == 0 ? null : _lastSentAt + (_joinedAt == _lastSentAt ? times.RoundEvery : times.HeartbeatEvery);
            return times.ReadLease && _lastSentAt + times.HeartbeatEvery <= _lastAskedAt + times.HeartbeatsFor && !(next < _lastSentAt + times.HeartbeatEvery)
                ? _lastSentAt + times.HeartbeatEvery
                : next;
        }
    }

    /// <summary>Takes in a member.</summary>
    public void Add()
    {
        _sentAt = [.. _sentAt, long.MinValue];
        _leaseFrom = [.. _leaseFrom, long.MinValue];
    }

    /// <summary>What a member acknowledged counts no more.</summary>
    public void Forget(int member) => _sentAt[member] = _leaseFrom[member] = long.MinValue;

    /// <summary>The epoch entry is confirmed: proofs may be given, by these.</summary>
    public void Open(params IEnumerable<QuorumNeed> needs)
    {
        _needs = [.. needs];
        _isOpen = true;
    }

    /// <summary>A read wants to know whether it may rely on this leadership.</summary>
    /// <param name="token">Names it.</param>
    /// <param name="now">When it came.</param>
    /// <param name="keepsLease">Heartbeats are to go on for a while, since more are expected to ask.</param>
    /// <param name="actions">Receives the proof, at once or later.</param>
    /// <returns>Whether a heartbeat is to be sent now.</returns>
    public bool Ask(long token, long now, bool keepsLease, ICollection<LeaderAction> actions)
    {
        _lastAskedAt = keepsLease ? now : _lastAskedAt;
        if (_isOpen && times.ReadLease && rules.HasLease(LeaseFrom, now, times))
        {
            actions.Add(LeaderAction.Proof(token, ok: true));
            return NextHeartbeat <= now;
        }

        if (_waiting.Count >= limits.Proofs)
        {
            actions.Add(LeaderAction.Proof(token, ok: false));
            return false;
        }

        var isFirst = _waiting.Count == 0;
        _joinedAt = _lastSentAt;
        _waiting.Enqueue(new(token, _lastSentAt, now + times.ProofWithin));
        return _isOpen && (isFirst || NextHeartbeat <= now);
    }

    /// <summary>A heartbeat goes out.</summary>
    /// <returns>The moment that it carries.</returns>
    public long Send(long now) => _lastSentAt = now > _lastSentAt ? now : _lastSentAt + 1;

    /// <summary>A member acknowledged a heartbeat.</summary>
    /// <returns>Whether a heartbeat is to be sent now, for reads that came after the one that is back.</returns>
    public bool Acked(int member, long sentAt, long now, ICollection<LeaderAction> actions)
    {
        if (sentAt > _lastSentAt || sentAt <= _sentAt[member])
        {
            return false; // nothing that was sent, or nothing new
        }

        _sentAt[member] = sentAt;
        _leaseFrom[member] = rules.LeaseFrom(sentAt, now);
        if (NthGreatest(_sentAt) is not { } round)
        {
            return false;
        }

        var proven = 0;
        while (_waiting.TryPeek(out var oldest) && rules.Proves(round, oldest.LastSentAt))
        {
            _waiting.Dequeue();
            actions.Add(LeaderAction.Proof(oldest.Token, ok: true));
            proven++;
        }

        // Those who are left came while this round was under way.
        return proven > 0 && _waiting.Count > 0 && _joinedAt == _lastSentAt;
    }

    /// <summary>Time has passed: who waited too long is told so.</summary>
    /// <returns>Whether a heartbeat is to be sent now.</returns>
    public bool Pass(long now, ICollection<LeaderAction> actions)
    {
        while (_waiting.TryPeek(out var oldest) && oldest.Deadline <= now)
        {
            _waiting.Dequeue();
            actions.Add(LeaderAction.Proof(oldest.Token, ok: false));
        }

        return NextHeartbeat <= now;
    }

    /// <summary>Nothing can be proven any more.</summary>
    public void Close(ICollection<LeaderAction> actions)
    {
        (_isOpen, _needs) = (false, []);
        while (_waiting.TryDequeue(out var waiting))
        {
            actions.Add(LeaderAction.Proof(waiting.Token, ok: false));
        }
    }

    // The greatest moment that a quorum of every set has acknowledged.
    private long? NthGreatest(long[] moments)
    {
        long? common = null;
        Span<long> sorted = stackalloc long[FollowerSet.MaxMembers];
        foreach (var need in _needs)
        {
            var some = sorted[..need.Members.Length];
            for (var i = 0; i < some.Length; i++)
            {
                some[i] = moments[need.Members[i]];
            }

            some.Sort();
            var nth = some[^need.Quorum];
            common = common is { } least ? Math.Min(least, nth) : nth;
        }

        return common is long.MinValue ? null : common;
    }
}
