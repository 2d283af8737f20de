using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

// What the follower lacks, and how it gets it.
internal sealed partial class MemberCore
{
    private bool HasRoom => _inFlight.Count == 0 || (_inFlightBytes <= limits.WindowBytes / 2 && _inFlight.Count <= limits.WindowEntries / 2);

    /// <summary>The leader's own log is complete: finds out where this follower's parts from it.</summary>
    /// <returns>Why its log contradicts the leader's, or <see langword="null"/>.</returns>
    public string? Match(long now, List<LeaderAction> actions)
    {
        if (Answer is not { } answer || State != MemberState.Promised)
        {
            return null;
        }

        return Compare(_match.Begin(answer.Last, answer.First), answer.First, now, actions);
    }

    /// <summary>The follower does not have what was named.</summary>
    /// <returns>Why its log contradicts the leader's, or <see langword="null"/>.</returns>
    public string? Mismatched(Mismatched answer, long now, List<LeaderAction> actions)
    {
        if (State == MemberState.Matching)
        {
            // It has the place, and something behind it was lost: then its ack of the place says so too.
            return answer.Previous == _place && answer.Own != _place ? Compare(_match.Next(answer.Own, answer.First), answer.First, now, actions) : null;
        }

        if (State is not (MemberState.Behind or MemberState.Live))
        {
            return null;
        }

        if (!_isMatched && answer.Own != _place && !(answer.Own > _place))
        {
            // What its own answer named is not there. What was sent behind a place that was given up is answered in the same way.
            return answer.Previous >= _place ? Compare(_match.Next(answer.Own, answer.First), answer.First, now, actions) : null;
        }

        // Something on the way was lost, such as a part of an entry: it begins again where the follower is known to be.
        var known = _isMatched ? Acked : _place;
        if (answer.Previous >= known && answer.Previous <= _sent)
        {
            AskAt(known, now, actions);
        }

        return null;
    }

    /// <summary>Whether an entry that ends here is on its way to it, and so of the leader's log; even if that was trimmed meanwhile.</summary>
    public bool WasSent(Position position)
    {
        foreach (var sent in _inFlight)
        {
            if (sent.End >= position)
            {
                return sent.End == position;
            }
        }

        return false;
    }

    /// <summary>It has everything up to a position of the leader's log on disk.</summary>
    public void TakeAck(Position position, List<LeaderAction> actions)
    {
        if (position > Acked)
        {
            Acked = position;
        }

        while (_inFlight.TryPeek(out var oldest) && oldest.End <= position)
        {
            _inFlightBytes -= _inFlight.Dequeue().Bytes;
        }

        if (!IsReady || State == MemberState.Promised || position < _place)
        {
            return;
        }

        _isMatched = true;
        if (State == MemberState.Matching)
        {
            State = MemberState.Behind;
        }

        Continue(actions);
    }

    /// <summary>An entry was appended to the leader's log.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="shared">The message, made once for all who get it.</param>
    /// <param name="now">When.</param>
    /// <param name="actions">Receives it.</param>
    public void Push(Entry entry, ref Append? shared, long now, List<LeaderAction> actions)
    {
        if (State != MemberState.Live)
        {
            return;
        }

        if (_inFlight.Count > 0 && (_inFlightBytes + entry.Encoded.Length > limits.WindowBytes || _inFlight.Count >= limits.WindowEntries))
        {
            State = MemberState.Behind; // from here on it reads the log, when it has acknowledged what it was sent
            return;
        }

        if (entry.Encoded.Length > limits.PartBytes)
        {
            _owesSince ??= now;
            EntryMessages.SendParts(promise, id, entry, limits.PartBytes, actions);
        }
        else
        {
            Send(shared ??= new Append(promise, entry.Predecessor, [entry]), now, actions);
        }

        Count(entry);
    }

    /// <summary>The log was read for it.</summary>
    /// <param name="after">Where.</param>
    /// <param name="entries">What follows; nothing if it could not be read now.</param>
    /// <param name="isTrimmed">The log does not reach back so far.</param>
    /// <param name="now">When.</param>
    /// <param name="actions">Receives what to send.</param>
    /// <returns>Why the follower cannot be brought up, or <see langword="null"/>.</returns>
    public string? LogRead(Position after, ImmutableArray<Entry> entries, bool isTrimmed, long now, List<LeaderAction> actions)
    {
        if (!_isReading || after != _sent)
        {
            return null; // of before it was set back
        }

        _isReading = false;
        if (isTrimmed)
        {
            return Compare(null, Position.Start, now, actions);
        }

        var previous = _sent;
        var to = 0;
        for (; to < entries.Length && entries[to].Predecessor == _sent && !log.IsAbandoned(entries[to].End); to++)
        {
            Count(entries[to]);
        }

        if (to > 0)
        {
            _owesSince ??= now;
            EntryMessages.Send(promise, id, previous, to == entries.Length ? entries : entries[..to], limits.PartBytes, actions);
        }

        if (to == 0)
        {
            _readAgainAt = now + times.RetryAfter;
        }
        else
        {
            Continue(actions);
        }

        return null;
    }

    // Makes it live when it was sent everything, else reads on when there is room in its window.
    private void Continue(List<LeaderAction> actions)
    {
        if (State != MemberState.Behind || _isReading || _readAgainAt is not null)
        {
            return;
        }

        if (_sent == log.Last)
        {
            State = MemberState.Live;
        }
        else if (HasRoom)
        {
            _isReading = true;
            actions.Add(LeaderAction.ReadLog(id, _sent, limits.ReadBytes));
        }
    }

    private string? Compare(Position? place, Position first, long now, List<LeaderAction> actions)
    {
        if (place is not { } at)
        {
            return StartAtBase(first, now, actions);
        }

        AskAt(at, now, actions);
        if (Answer!.Last == at)
        {
            // Its own word, and equal by hash: what follows need not wait for the answer.
            State = MemberState.Behind;
            Continue(actions);
        }

        return null;
    }

    private string? StartAtBase(Position first, long now, List<LeaderAction> actions)
    {
        var start = log.First;
        if (start == Position.Start || start < first)
        {
            return $"the follower's log begins at {first}, which is not in the leader's, which begins at {start}";
        }

        if (!history.TryFind(start, Answer, out var sets))
        {
            State = MemberState.Stranded;
            _readAgainAt = now + times.Stalled;
            return null;
        }

        SetBack(start);
        _place = start;
        _isMatched = false;
        State = MemberState.Matching;
        Send(new StartAt(promise, start, sets), now, actions);
        return null;
    }

    // Whether it holds a place. Nothing follows before the answer: each message behind what it lacks is answered on its own, and none of those answers is to send all of it once more.
    private void AskAt(Position place, long now, List<LeaderAction> actions)
    {
        SetBack(place);
        _place = place;
        _isMatched = false;
        State = MemberState.Matching;
        Send(new Append(promise, place, []), now, actions);
    }

    private void SetBack(Position to)
    {
        _sent = to;
        _marked = _marked > to ? to : _marked; // it obeyed only if it held what was named
        _inFlight.Clear();
        (_inFlightBytes, _isReading, _readAgainAt) = (0, false, null);
        State = MemberState.Behind;
    }

    private void Count(Entry entry)
    {
        _sent = entry.End;
        _inFlight.Enqueue(new(entry.End, entry.Encoded.Length));
        _inFlightBytes += entry.Encoded.Length;
    }
}
