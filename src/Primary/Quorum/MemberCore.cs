using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>One follower, as its leader sees it: what it promised, where its log parts from the leader's, and what is on its way to it.</summary>
/// <remarks>
/// A synchronous state machine. Entries go out as they are appended while the follower's window has room; who falls out of it reads the log, and can neither slow
/// the others nor fill memory. Every new stream begins with a Seal, whose answer says where the follower stands.
/// </remarks>
internal sealed partial class MemberCore(Guid id, int index, Promise promise, LeaderLog log, SetHistory history, LeaderTimes times, LeaderLimits limits)
{
    private readonly record struct Sent(Position End, int Bytes);

    private readonly Queue<Sent> _inFlight = new();
    private readonly LogMatch _match = new(log);
    private long _inFlightBytes;
    private Position _sent; // the end of what was sent on this stream
    private Position _place; // where the comparison began that is under way or was found
    private Position _marked;
    private Position _trimmed;
    private bool _isMatched; // it acknowledged the place, or something behind it
    private bool _isReading;
    private long? _readAgainAt;
    private long _sentHeartbeat = long.MinValue;
    private long _ackedHeartbeat = long.MinValue;
    private long? _owesSince; // an answer is due since then
    private long _renewedAt = long.MinValue; // another stream was asked for

    /// <summary>The follower's journal.</summary>
    public Guid Id => id;

    /// <summary>Its number among the members.</summary>
    public int Index => index;

    public MemberState State { get; private set; }

    /// <summary>What it promised to this leadership, on this stream or an earlier one.</summary>
    public Promised? Answer { get; private set; }

    /// <summary>It answered on this stream.</summary>
    public bool IsReady => State is MemberState.Promised or MemberState.Matching or MemberState.Behind or MemberState.Live or MemberState.Stranded;

    /// <summary>It has all of the leader's log up to here on disk. A new stream does not take it back.</summary>
    public Position Acked { get; private set; }

    // An entry that is larger than the window is on its way for long without an answer: a microsecond for each byte, as on a path of 1 MB/s.
    private long Slack => Math.Max(0, _inFlightBytes - limits.WindowBytes);

    /// <summary>It answers, as far as one can know.</summary>
    public bool IsThere(long now) => IsReady && !(now >= _owesSince + times.Silence + Slack);

    /// <summary>Call <see cref="Pass"/> then.</summary>
    public long? WakeAt(long now)
    {
        var at = _readAgainAt;
        if (_owesSince is { } since)
        {
            var due = now < since + times.Silence + Slack ? since + times.Silence + Slack : Math.Max(since, _renewedAt) + times.Stalled + Slack;
            at = at < due ? at : due;
        }

        return at;
    }

    /// <summary>A stream is there.</summary>
    public void Connected(bool deletes, long now, List<LeaderAction> actions)
    {
        Reset(MemberState.Sealing);
        Send(new Seal(promise, deletes), now, actions);
    }

    /// <summary>A stream is there, and the promise came another way.</summary>
    public void ConnectedWithPromise(Promised answer)
    {
        Reset(MemberState.Promised);
        Answer = answer;
    }

    /// <summary>The stream went. A promise that was given stays, and so does what was acknowledged.</summary>
    public void Disconnected() => Reset(MemberState.Away);

    /// <summary>Its journal lost what it had, or cannot be trusted.</summary>
    public void Exclude()
    {
        Reset(MemberState.Excluded);
        (Answer, Acked) = (null, Position.Start);
    }

    /// <summary>It promised.</summary>
    public void Promised(Promised answer)
    {
        Answer = answer;
        State = MemberState.Promised;
    }

    /// <summary>Asks once more for what it says of its log, when everything before that is on disk.</summary>
    public void AskAgain(long now, List<LeaderAction> actions)
    {
        if (IsReady)
        {
            Connected(deletes: false, now, actions);
        }
    }

    /// <summary>Any message came: what is still due is due from now on.</summary>
    public void Heard(long now)
    {
        var owes = State is MemberState.Sealing or MemberState.Matching || (State is MemberState.Behind or MemberState.Live && !_isMatched) || _inFlight.Count > 0 || _sentHeartbeat > _ackedHeartbeat;
        _owesSince = owes ? now : null;
    }

    /// <summary>Asks whether the promise still stands.</summary>
    public void Beat(Heartbeat heartbeat, long now, List<LeaderAction> actions)
    {
        _sentHeartbeat = heartbeat.SentAt;
        Send(heartbeat, now, actions);
    }

    public void HeartbeatAcked(long sentAt) => _ackedHeartbeat = Math.Max(_ackedHeartbeat, sentAt);

    /// <summary>Says what is confirmed, if it was sent that far: whatever it was sent up to there is.</summary>
    /// <param name="confirmed">The position.</param>
    /// <param name="isLast">There is no later occasion, so it need not have answered yet; it obeys only if it holds what is named.</param>
    /// <param name="shared">The message, made once for all who get it.</param>
    /// <param name="actions">Receives it.</param>
    public void Mark(Position confirmed, bool isLast, ref Mark? shared, List<LeaderAction> actions)
    {
        if (!(_isMatched || (isLast && IsReady)) || confirmed == Position.Start)
        {
            return;
        }

        var mark = _sent < confirmed ? _sent : confirmed;
        if (mark <= _marked)
        {
            return;
        }

        _marked = mark;
        if (shared is null || shared.Position != mark)
        {
            shared = new Mark(promise, mark);
        }

        actions.Add(LeaderAction.Send(id, shared));
    }

    /// <summary>Says how far the log is no longer needed, once it has that much itself.</summary>
    public void Trim(Position to, List<LeaderAction> actions)
    {
        if (_isMatched && to > _trimmed && Acked >= to && _marked >= to)
        {
            _trimmed = to;
            actions.Add(LeaderAction.Send(id, new Trim(promise, to)));
        }
    }

    /// <summary>Time has passed.</summary>
    /// <returns>Why the follower cannot be brought up, or <see langword="null"/>.</returns>
    public string? Pass(long now, List<LeaderAction> actions)
    {
        string? fault = null;
        if (now >= _readAgainAt)
        {
            _readAgainAt = null;
            if (State == MemberState.Stranded)
            {
                fault = Compare(null, Position.Start, now, actions); // the log may have been trimmed to a place at which the sets are known
            }
            else
            {
                Continue(actions);
            }
        }

        if (_owesSince is { } since && now >= Math.Max(since, _renewedAt) + times.Stalled + Slack)
        {
            _renewedAt = now;
            actions.Add(LeaderAction.Reconnect(id));
        }

        return fault;
    }

    private void Send(LeaderMessage message, long now, List<LeaderAction> actions)
    {
        _owesSince ??= now;
        actions.Add(LeaderAction.Send(id, message));
    }

    private void Reset(MemberState state)
    {
        State = state;
        Clear();
        _trimmed = Position.Start;
        _marked = Position.Start;
        (_sentHeartbeat, _ackedHeartbeat, _owesSince, _renewedAt) = (long.MinValue, long.MinValue, null, long.MinValue);
    }

    private void Clear()
    {
        _inFlight.Clear();
        (_inFlightBytes, _isMatched, _isReading, _readAgainAt) = (0, false, false, null);
    }
}
