using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>One leadership of one database: becomes the leader, keeps the followers equal, confirms, proves. docs/protocol.md, "Leading".</summary>
/// <remarks>
/// A synchronous state machine, used by one thread at a time; times are microseconds of a monotonic clock that runs on in suspend. Its parts are
/// <see cref="RecoveryCore"/>, <see cref="FetchCore"/>, <see cref="MemberCore"/>, <see cref="QuorumCore"/> and <see cref="LeaseCore"/>; the decisions are in <see cref="LeaderRules"/>.
/// </remarks>
internal sealed partial class LeaderCore
{
    private readonly LeaderStart _start;
    private readonly ILogView _ownLog;
    private readonly LeaderTimes _times;
    private readonly LeaderLimits _limits;
    private readonly LeaderRules _rules;
    private readonly LeaderLog _log;
    private readonly RecoveryCore _recovery;
    private readonly QuorumCore _quorum = new();
    private readonly LeaseCore _lease;
    private readonly SetHistory _history;
    private readonly Dictionary<Guid, MemberCore> _members = [];
    private readonly List<MemberCore> _byIndex = []; // retired ones too
    private QuorumNeed[] _needs = [];
    private long _now;
    private long _startedAt;
    private bool? _hasQuorum; // as it was told

    /// <param name="start">What it begins with.</param>
    /// <param name="ownLog">The own follower's durable log.</param>
    /// <param name="times">How long it waits and relies.</param>
    /// <param name="limits">How much it has on its way.</param>
    /// <param name="rules">How it decides; tests decide wrongly.</param>
    public LeaderCore(LeaderStart start, ILogView ownLog, LeaderTimes times, LeaderLimits? limits = null, LeaderRules? rules = null)
    {
        (_start, _ownLog, _times, _limits, _rules) = (start, ownLog, times, limits ?? LeaderLimits.Default, rules ?? LeaderRules.Default);
        _log = new(ownLog, start.Promise.Epoch);
        _recovery = new(start, _rules);
        _lease = new(times, _limits, _rules);
        _history = new(start.OlderSets.IsEmpty && start.OwnSets is { } newest ? [newest] : start.OlderSets);
    }

    /// <summary>How far it is.</summary>
    public LeaderPhase Phase { get; private set; }

    /// <summary>The leadership.</summary>
    public Promise Promise => _start.Promise;

    /// <summary>The end of the log that was adopted.</summary>
    public Position Adopted => _log.Adopted;

    /// <summary>The end of the leader's log.</summary>
    public Position Appended => _log.Last;

    /// <summary>What is confirmed; the start until the epoch entry is.</summary>
    public Position Confirmed { get; private set; }

    /// <summary>What the epoch entry says of followers, once it is appended; before, what is known.</summary>
    public KnownSets? Sets => _sets ?? _recovery.Known;

    /// <summary>Q of every set that counts have a stream and answer.</summary>
    public bool HasQuorum => _hasQuorum ?? false;

    /// <summary>Entries that the own follower is not known to have on disk. The shell keeps them in memory, and bounds them.</summary>
    public int InMemory => _log.InMemory;

    /// <summary>What the own follower has on disk of this log.</summary>
    public Position Kept => _members.TryGetValue(_start.OwnJournal, out var own) ? own.Acked : Position.Start;

    /// <summary>How it stands with a follower, and up to where that has the log on disk; for status pages.</summary>
    public (MemberState State, Position Acked)? StatusOf(Guid member) => _members.TryGetValue(member, out var core) ? (core.State, core.Acked) : null;

    /// <summary>Call <see cref="Pass"/> then, at the latest; <see langword="null"/> when nothing waits for time.</summary>
    public long? WakeAt
    {
        get
        {
            if (IsOver)
            {
                return null;
            }

            var at = Earlier(_lease.WakeAt, _fetch?.WakeAt);
            at = Earlier(at, Phase == LeaderPhase.Sealing ? Earlier(_retryAt, _retryAllAt) : null);
            at = Earlier(at, Phase == LeaderPhase.HandingOver ? _handOverUntil : null);
            at = Earlier(at, _hasQuorum is null && Phase != LeaderPhase.Deleted ? _startedAt + _times.Silence : null);
            foreach (var member in _members.Values)
            {
                at = Earlier(at, member.WakeAt(_now));
            }

            return at;
        }
    }

    private bool IsOver => Phase is LeaderPhase.Lost;

    private MemberCore Own => _members[_start.OwnJournal];

    /// <summary>Begins.</summary>
    public void Start(long now, List<LeaderAction> actions)
    {
        (_now, _startedAt) = (now, now);
        if (_start.Resumed is { } resumed)
        {
            if (_start.OwnSets is { } known && known.DecidedAt > resumed)
            {
                Lose(LossReason.OwnJournal, new(known.DecidedAt.Epoch, 0), $"the own log knows follower sets of {known.DecidedAt}; the leadership left it at {resumed}. Another epoch must be taken", actions);
                return;
            }

            Resume(resumed);
        }

        foreach (var (member, answer) in _start.Promises)
        {
            _recovery.Add(member, answer);
        }

        Meet(actions);
        Evaluate(now, actions);
        WatchQuorum(now, actions);
    }

    /// <summary>A stream to a member is there; one that was before is gone.</summary>
    public void Connected(Guid member, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (IsOver || !_members.TryGetValue(member, out var core))
        {
            return;
        }

        if (core.State == MemberState.Away && core.Answer is null && PassedOn(member) is { } answer)
        {
            core.ConnectedWithPromise(answer);
            Promised(core, answer, now, actions);
        }
        else
        {
            Left(core);
            core.Connected(_start.Deletes, now, actions);
        }

        EvaluateFetch(now, actions);
        WatchQuorum(now, actions);
    }

    /// <summary>A member's stream went.</summary>
    public void Disconnected(Guid member, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (IsOver || !_members.TryGetValue(member, out var core))
        {
            return;
        }

        core.Disconnected();
        Left(core);
        EvaluateFetch(now, actions);
        WatchQuorum(now, actions);
    }

    /// <summary>A member answers on its stream.</summary>
    public void Receive(Guid member, FollowerMessage message, long now, List<LeaderAction> actions)
    {
        _now = now;
        if (IsOver || !_members.TryGetValue(member, out var core) || core.State == MemberState.Away)
        {
            return;
        }

        if (Phase == LeaderPhase.HandingOver)
        {
            TakeHandOver(member, message, actions);
        }
        else if (message.Promise == Promise)
        {
            Take(core, message, now, actions);
            core.Heard(now);
            EvaluateFetch(now, actions);
        }

        WatchQuorum(now, actions);
    }

    /// <summary>Time has passed.</summary>
    public void Pass(long now, List<LeaderAction> actions)
    {
        _now = now;
        if (IsOver)
        {
            return;
        }

        _fetch?.Pass(now);
        EvaluateFetch(now, actions);
        Retry(now, actions);
        foreach (var member in _byIndex)
        {
            Check(member, member.Pass(now, actions), actions);
        }

        if (_lease.Pass(now, actions))
        {
            Beat(now, actions);
        }

        if (Phase == LeaderPhase.HandingOver && now >= _handOverUntil)
        {
            Lose(LossReason.HandedOver, null, "too few followers answered in time to pass the leadership on", actions);
        }

        WatchQuorum(now, actions);
    }

    private static long? Earlier(long? one, long? other) => one < other || other is null ? one : other;

    private void Take(MemberCore member, FollowerMessage message, long now, List<LeaderAction> actions)
    {
        switch (message)
        {
            case Acked acked:
                TakeAck(member, acked.Position, now, actions);
                break;
            case HeartbeatAcked heartbeat:
                member.HeartbeatAcked(heartbeat.SentAt);
                if (member.State != MemberState.Excluded && _lease.Acked(member.Index, heartbeat.SentAt, now, actions))
                {
                    Beat(now, actions);
                }

                break;
            case Promised answer when member.State == MemberState.Sealing:
                member.Promised(answer);
                Promised(member, answer, now, actions);
                break;
            case Mismatched mismatched:
                TakeMismatch(member, mismatched, now, actions);
                break;
            case Refused { Deleted: true } when _start.Deletes:
                member.Exclude();
                _recovery.AddDeleted(member.Id);
                Evaluate(now, actions);
                break;
            case Refused refused when refused.Deleted || refused.Instead.Refuses(Promise):
                Lose(
                    refused.Deleted ? LossReason.Deleted : LossReason.Superseded,
                    refused.Instead,
                    $"follower {member.Id} promised epoch {refused.Instead.Epoch}{(refused.Deleted ? ", under which the database is deleted" : "")}; this leadership is of epoch {Promise.Epoch}",
                    actions);
                break;
            case NotMember stranger:
                Exclude(member, stranger.Reason, now, actions);
                break;
        }
    }

    private void Exclude(MemberCore member, string reason, long now, List<LeaderAction> actions)
    {
        member.Exclude();
        _quorum.Forget(member.Index);
        _lease.Forget(member.Index);
        _recovery.Remove(member.Id);
        Left(member);
        if (member.Id == _start.OwnJournal)
        {
            Lose(LossReason.OwnJournal, null, $"the leader's own journal is no member: {reason}", actions);
        }
    }

    // What contradicts the log below what is confirmed is a fault that somebody must look at.
    private void Check(MemberCore member, string? fault, List<LeaderAction> actions)
    {
        if (fault is not null)
        {
            member.Exclude();
            _quorum.Forget(member.Index);
            _lease.Forget(member.Index);
            actions.Add(LeaderAction.Diverged(member.Id, fault));
        }
    }

    // Everybody who is to be asked gets a stream.
    private void Meet(List<LeaderAction> actions)
    {
        var wanted = _start.Resumed is null ? _recovery.Members : _sets!.Sets.Current.Members.Append(_start.OwnJournal).Distinct();
        foreach (var id in wanted)
        {
            if (!_members.ContainsKey(id))
            {
                var member = new MemberCore(id, _quorum.Add(), Promise, _log, _history, _times, _limits);
                _lease.Add();
                _members.Add(id, member);
                _byIndex.Add(member);
                actions.Add(LeaderAction.Connect(id));
            }
        }

        Need(_opening is not null ? _rules.SetsToConfirm(_opening, isConfirmed: false)
            : _sets is not null ? _rules.SetsToConfirm(_sets.Sets, isConfirmed: true)
            : _recovery.Needed);
    }

    private void Need(ImmutableArray<FollowerSet> sets)
    {
        _needs = [.. sets.Select(set => new QuorumNeed([.. set.Members.Select(id => _members[id].Index)], set.Quorum))];
        _quorum.Need(_needs);
    }

    private void WatchQuorum(long now, List<LeaderAction> actions)
    {
        if (Phase is LeaderPhase.Lost or LeaderPhase.Deleted)
        {
            return;
        }

        var isThere = true;
        foreach (var need in _needs)
        {
            var there = 0;
            foreach (var member in need.Members)
            {
                there += _byIndex[member].IsThere(now) ? 1 : 0;
            }

            isThere &= there >= need.Quorum;
        }

        if (isThere != _hasQuorum && (isThere || _hasQuorum is not null || now >= _startedAt + _times.Silence))
        {
            _hasQuorum = isThere;
            actions.Add(LeaderAction.Quorum(isThere));
        }
    }

    private void Lose(LossReason reason, Promise? higher, string text, List<LeaderAction> actions)
    {
        if (!IsOver)
        {
            Phase = LeaderPhase.Lost;
            _fetch = null;
            _lease.Close(actions);
            actions.Add(LeaderAction.Lost(new(reason, higher, text)));
        }
    }
}
