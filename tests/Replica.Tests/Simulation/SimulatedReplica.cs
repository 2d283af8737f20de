using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>One copy: the replica's two cores, carried out on a list of entries in place of a file.</summary>
internal sealed class SimulatedReplica(Random random, SimulatedTruth truth, Fault fault, DatabaseId database, bool keepsHidden)
{
    private readonly List<ApplyAction> _actions = [];
    private readonly Dictionary<Waiting, long> _waiting = [];
    private List<SimulatedEntry> _file = []; // visible, then hidden
    private int _visible;
    private Position _from;
    private Position _to;
    private uint _heard; // the newest leadership that spoke in this life
    private int _shown = -1; // what readers have seen in this life
    private ApplyCore _core = new(Position.Start, Position.Start);
    private WaitCore<Waiting> _waits = new(EpochTable.Empty);

    public Position Visible => _core.Visible;

    public bool IsReady => fault == Fault.MixtureIsShown ? _hasMark : _core.IsReady;

    public int WaitingCount => _waiting.Count;

    private bool _hasMark;

    public IEnumerable<Waiting> WhoWaits => _waiting.Keys;

    /// <returns><see langword="false"/>: the stream has to end.</returns>
    public bool Take(SimulatedStream stream, SimulatedMessage message)
    {
        var isOver = stream.Leader.Epoch < _heard;
        _heard = Math.Max(_heard, stream.Leader.Epoch);
        var before = (_core.Visible, _core.Received, _core.Hidden, _core.IsReady);
        var goesOn = TakeAny(stream, message);
        Check.That(
            !isOver || (_core.Visible, _core.Received, _core.Hidden, _core.IsReady) == before,
            $"epoch {stream.Leader.Epoch} is over here, since {_heard} was heard; it changed the copy at {before.Visible} all the same");
        return goesOn;
    }

    private bool TakeAny(SimulatedStream stream, SimulatedMessage message)
    {
        var leader = fault == Fault.MarkDoesNotFence ? Math.Max(stream.Leader.Epoch, _core.Epoch) : stream.Leader.Epoch;
        if (message.Welcome is { } epochs)
        {
            if (!_core.Hear(leader))
            {
                return false;
            }

            stream.IsWelcome = true;
            if (!keepsHidden)
            {
                _core.Forget(_actions);
                CarryOut(null);
            }

            Grow(epochs);
        }
        else if (message.Snapshot is { } image)
        {
            Install(image, leader);
        }
        else if (message.Entry is { } entry)
        {
            stream.ReceivedBytes += entry.Bytes;
            _core.Entry(leader, entry.End, entry.Predecessor, _actions);
            var goesOn = CarryOut(entry);
            if (goesOn && leader >= _core.Epoch && entry.Epochs is { } table)
            {
                Grow(table);
            }

            return goesOn;
        }
        else if (message.Mark is { } mark)
        {
            if (fault == Fault.MarkCoversEverythingBelow && _core.Hear(leader) && _file.FindLast(held => held.End <= mark) is { } covered && covered.End > _core.Visible)
            {
                mark = covered.End;
            }

            _core.Mark(leader, mark, _actions);
            _hasMark |= leader >= _core.Epoch;
            return CarryOut(null);
        }

        return true;
    }

    /// <summary>The process ends at any moment and comes again with main file and sidecar.</summary>
    public void Restart()
    {
        End(actions => _waits.Close(actions));
        Check.That(_waiting.Count == 0, $"{_waiting.Count} waiters are left after the end");
        _core = new ApplyCore(_from, _to);
        _waits = new WaitCore<Waiting>(EpochTable.Empty);
        _visible = _from == Position.Start ? 0 : _file.FindIndex(entry => entry.End == _from) + 1;
        _file.RemoveRange(_visible, _file.Count - _visible);
        (_shown, _hasMark, _heard) = (-1, false, _from.Epoch);
    }

    /// <summary>Brings what is visible into the main file; a crash may come between the sidecar's two writes.</summary>
    public void Checkpoint(bool isComplete)
    {
        // Before the copy has passed its own `to`, an earlier round promised more already.
        _to = _core.Visible > _to ? _core.Visible : _to;
        if (isComplete && _core.Visible >= _to)
        {
            _from = _core.Visible;
        }
    }

    /// <summary>A reader opens a snapshot now.</summary>
    public void Read()
    {
        if (!IsReady)
        {
            return;
        }

        Check.That(_core.Visible >= _to || _from == _to, $"readers are answered at {_core.Visible}, while pages are as new as {_to}");
        Check.That(truth.IsPrefix(_file, _visible), $"readers see {_visible} entries that are not the first confirmed ones");
        Check.That(_visible >= _shown, $"readers saw {_shown} entries and now see {_visible}");
        _shown = _visible;
    }

    public void Wait(Bookmark target, long now, long deadline)
    {
        var waiter = new Waiting(target);
        var result = _waits.Wait(target, deadline, waiter);
        if (result is null && fault == Fault.WaiterGoesEarly && IsReady && target.Epoch <= _core.Epoch && target.Sequence == _core.Visible.Sequence + 1)
        {
            _waits.Cancel(waiter);
            result = WaitResult.Reached;
        }

        if (result is null && fault == Fault.AbandonedTooEarly && target.Epoch < _core.Epoch && target.Sequence > _core.Received.Sequence)
        {
            _waits.Cancel(waiter);
            result = WaitResult.Abandoned;
        }

        if (result is { } ended)
        {
            CheckEnd(waiter, ended, now, deadline);
        }
        else
        {
            _waiting.Add(waiter, deadline);
            Check.That(_waits.Count == _waiting.Count, $"{_waits.Count} waiters are parked; {_waiting.Count} should be");
        }
    }

    public void GiveUp()
    {
        if (_waiting.Count > 0)
        {
            var waiter = _waiting.Keys.ElementAt(random.Next(_waiting.Count));
            Check.That(_waits.Cancel(waiter), $"a waiter that is parked could not give up");
            Check.That(!_waits.Cancel(waiter), $"a waiter gave up twice");
            _waiting.Remove(waiter);
        }
    }

    public void Pass(long now)
    {
        End(actions => _waits.Pass(now, actions), now);
        Check.That(_waiting.Values.All(deadline => deadline > now), $"a waiter is left behind its deadline");
        Check.That((_waits.NextDeadline ?? long.MaxValue) == (_waiting.Count == 0 ? long.MaxValue : _waiting.Values.Min()), $"the next deadline is wrong");
    }

    private void Grow(EpochTable epochs) => End(actions => _waits.Grow(epochs, actions));

    private void Install(IReadOnlyList<SimulatedEntry> image, uint leader)
    {
        _waits.Suspend();
        _file = [.. image];
        _visible = _file.Count;
        _from = _to = image.Count == 0 ? Position.Start : image[^1].End;
        (_shown, _hasMark) = (-1, false);
        _core = new ApplyCore(_from, _to);
        _core.Hear(leader);
    }

    private bool CarryOut(SimulatedEntry? entry)
    {
        var goesOn = true;
        foreach (var action in _actions)
        {
            switch (action.Kind)
            {
                case ApplyActionKind.Append:
                    Check.That(entry!.End == action.Position, $"{action.Position} is appended, {entry.End} came");
                    Check.That(entry.Predecessor == (_file.Count == 0 ? Position.Start : _file[^1].End), $"{entry.End} does not follow what the file holds");
                    _file.Add(entry);
                    if (fault == Fault.HiddenEntriesAreShown)
                    {
                        _visible = _file.Count;
                    }

                    break;
                case ApplyActionKind.DiscardAfter:
                    var keep = action.Position == Position.Start ? 0 : _file.FindIndex(held => held.End == action.Position) + 1;
                    Check.That(keep >= _visible, $"{_visible - keep} entries are taken back that readers see");
                    _file.RemoveRange(keep, _file.Count - keep);
                    break;
                case ApplyActionKind.Publish:
                    var place = action.Position == Position.Start ? 0 : _file.FindIndex(held => held.End == action.Position) + 1;
                    Check.That(place >= _visible, $"{action.Position} is published, and {_visible} entries are visible already");
                    Check.That(truth.IsPrefix(_file, place), $"{action.Position} is published, which is not confirmed");
                    _visible = place;
                    Read();
                    if (IsReady)
                    {
                        End(actions => _waits.Advance(action.Position, actions));
                    }

                    break;
                case ApplyActionKind.Resubscribe:
                    goesOn = false;
                    break;
                case ApplyActionKind.Diverged:
                    throw new CheckFailedException($"the replica says that it diverged at {action.Position}");
            }
        }

        _actions.Clear();
        return goesOn;
    }

    private void End(Action<List<WaitAction<Waiting>>> change, long now = long.MinValue)
    {
        var ended = new List<WaitAction<Waiting>>();
        change(ended);
        if (fault == Fault.WaiterIsForgotten && ended.Count > 2)
        {
            ended.RemoveAt(1);
        }

        foreach (var (waiter, result) in ended)
        {
            Check.That(_waiting.Remove(waiter, out var deadline), $"a wait ended twice");
            CheckEnd(waiter, result, now, deadline);
        }

        Check.That(_waits.Count == _waiting.Count, $"{_waiting.Count - _waits.Count} waiters were forgotten");
    }

    private void CheckEnd(Waiting waiter, WaitResult result, long now, long deadline)
    {
        switch (result)
        {
            case WaitResult.Reached:
                Check.That(IsReady, $"{waiter.Target} was reached while nobody may read");
                Check.That(truth.Holds(waiter.Target), $"{waiter.Target} was reached, but was never confirmed");
                Check.That(
                    waiter.Target == Bookmark.Start || truth.PlaceOf(truth.EntryOf(waiter.Target)!.End) <= _visible,
                    $"{waiter.Target} was reached at {_core.Visible}");
                break;
            case WaitResult.Abandoned:
                Check.That(!truth.Holds(waiter.Target), $"{waiter.Target} was called abandoned, but is confirmed");
                Check.That(truth.End.Epoch > waiter.Target.Epoch, $"{waiter.Target} was called abandoned while no later epoch was confirmed");
                break;
            case WaitResult.TimedOut:
                Check.That(now >= deadline, $"a waiter timed out early");
                break;
        }
    }

    /// <summary>Its bookmark is one of this database, also when it is an abandoned one.</summary>
    internal sealed class Waiting(Bookmark target)
    {
        public Bookmark Target => target;
    }

    public Bookmark BookmarkOf(SimulatedEntry entry) =>
        entry.End.ToBookmark(database, entry.FirstSequence + (ulong)random.NextInt64((long)(entry.End.Sequence - entry.FirstSequence + 1)));
}
