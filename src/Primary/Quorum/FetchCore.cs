using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Brings the own follower to the log that is adopted, from one follower that has it.</summary>
/// <remarks>
/// A synchronous state machine. It asks the holder's stream for a position that both logs share, reads what lies behind it, and gives that to the own follower, which
/// cuts what differs. It has succeeded only when the own follower, asked last of all, acknowledges the adopted end itself.
/// </remarks>
internal sealed class FetchCore(Promise promise, ILogView log, Guid own, Guid holder, Promised answer, SetHistory history, LeaderTimes times, LeaderLimits limits)
{
    private readonly LogMatch _match = new(log);
    private readonly Queue<Position> _inFlight = new(); // to the own follower
    private Step _step;
    private Position _place; // asked about at the holder, then how far the own follower was sent
    private long _deadline;
    private bool _isPaused; // enough is on its way to the own follower

    private enum Step
    {
        Comparing,
        FetchingBase,
        Fetching,
        Checking,
        Done,
        Failed,
    }

    /// <summary>Who is read.</summary>
    public Guid Holder => holder;

    /// <summary>What the own log is brought to.</summary>
    public Position Adopted => answer.Last;

    public bool IsDone => _step == Step.Done;

    public bool HasFailed => _step == Step.Failed;

    /// <summary>The holder is at fault, not the own follower.</summary>
    public bool BlamesHolder { get; private set; }

    /// <summary>Call <see cref="Pass"/> then.</summary>
    public long? WakeAt => _step is Step.Done or Step.Failed or Step.FetchingBase ? null : _deadline; // a base takes as long as it is large: whoever fetches it watches that it comes

    public void Start(long now, List<LeaderAction> actions)
    {
        _deadline = now + times.FetchWithin;
        if (holder == own || log.Holds(Adopted))
        {
            Check(actions);
        }
        else
        {
            Compare(_match.Begin(answer.Last, answer.First), answer.First, actions);
        }
    }

    /// <summary>The holder has the place.</summary>
    public void HolderAcked(Position position, long now, List<LeaderAction> actions)
    {
        if (_step == Step.Comparing && position >= _place)
        {
            Read(now, actions);
        }
    }

    /// <summary>The holder does not have the place.</summary>
    public void HolderMismatched(Mismatched mismatch, long now, List<LeaderAction> actions)
    {
        if (_step == Step.Comparing && mismatch.Previous == _place)
        {
            _deadline = now + times.FetchWithin;
            Compare(_match.Next(mismatch.Own, mismatch.First), mismatch.First, actions);
        }
    }

    /// <summary>The holder's stream went.</summary>
    public void HolderLeft()
    {
        if (_step == Step.Comparing)
        {
            Fail(blamesHolder: true);
        }
    }

    /// <summary>Entries came from the holder.</summary>
    public void Fetched(Position from, ImmutableArray<Entry> entries, long now, List<LeaderAction> actions)
    {
        if (_step != Step.Fetching || from != _place)
        {
            return; // of an earlier attempt
        }

        var at = from;
        foreach (var entry in entries)
        {
            if (entry.Predecessor != at || entry.End > Adopted || (entry.End.CompareTo(Adopted) == 0 && entry.End != Adopted))
            {
                Fail(blamesHolder: true); // it is not the log that it said it had
                return;
            }

            at = entry.End;
        }

        if (entries.IsEmpty)
        {
            Fail(blamesHolder: true);
            return;
        }

        EntryMessages.Send(promise, own, from, entries, limits.PartBytes, actions);
        foreach (var entry in entries)
        {
            _inFlight.Enqueue(entry.End);
            history.Add(entry);
        }

        _place = at;
        Read(now, actions);
    }

    /// <summary>A durable base was put in place beside the own follower.</summary>
    public void BaseFetched(Position position, KnownSets? known, Promised? ownAnswer, long now, List<LeaderAction> actions)
    {
        if (_step != Step.FetchingBase)
        {
            return;
        }

        history.StartAt(known is not null && known.DecidedAt <= position ? known : null);
        if (position > Adopted || !history.TryFind(position, ownAnswer, out var sets))
        {
            Fail(blamesHolder: true);
            return;
        }

        history.StartAt(sets);

        actions.Add(LeaderAction.Send(own, new StartAt(promise, position, sets)));
        _inFlight.Enqueue(position);
        _place = position;
        Read(now, actions);
    }

    /// <summary>The holder, or the base, could not be read.</summary>
    public void FetchFailed()
    {
        if (_step is Step.Fetching or Step.FetchingBase)
        {
            Fail(blamesHolder: true);
        }
    }

    /// <summary>The own follower has everything up to a position on disk.</summary>
    public void OwnAcked(Position position, long now, List<LeaderAction> actions)
    {
        while (_inFlight.TryPeek(out var oldest) && oldest <= position)
        {
            _inFlight.Dequeue();
        }

        _deadline = now + times.FetchWithin;
        // Behind the adopted end it may have what an earlier attempt brought; then it has the end too, if both are in its log.
        if (_step == Step.Checking && (position == Adopted || (position > Adopted && log.Holds(Adopted) && log.Holds(position))))
        {
            _step = Step.Done;
        }
        else if (_step == Step.Fetching && _isPaused)
        {
            Read(now, actions);
        }
    }

    /// <summary>The own follower does not have what it was thought to have, or its stream went.</summary>
    public void OwnFailed() => Fail(blamesHolder: false);

    public void Pass(long now)
    {
        if (now >= WakeAt)
        {
            Fail(blamesHolder: _step != Step.Checking);
        }
    }

    private void Compare(Position? place, Position first, List<LeaderAction> actions)
    {
        if (place is { } at)
        {
            (_step, _place) = (Step.Comparing, at);
            actions.Add(LeaderAction.Send(holder, new Append(promise, at, [])));
        }
        else if (first > log.First)
        {
            _step = Step.FetchingBase;
            actions.Add(LeaderAction.FetchBase(holder, first));
        }
        else
        {
            Fail(blamesHolder: true); // its log contradicts this one below what was confirmed
        }
    }

    private void Read(long now, List<LeaderAction> actions)
    {
        _deadline = now + times.FetchWithin;
        if (_place == Adopted)
        {
            Check(actions);
            return;
        }

        _step = Step.Fetching;
        _isPaused = _inFlight.Count > limits.WindowEntries / 2;
        if (!_isPaused)
        {
            actions.Add(LeaderAction.Fetch(holder, _place, Adopted));
        }
    }

    private void Check(List<LeaderAction> actions)
    {
        _step = Step.Checking;
        actions.Add(LeaderAction.Send(own, new Append(promise, Adopted, [])));
    }

    private void Fail(bool blamesHolder)
    {
        if (!IsDone)
        {
            (_step, BlamesHolder) = (Step.Failed, blamesHolder);
        }
    }
}
