using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>One database's log under one leadership: makes entries durable, confirms them, opens the gate, and ships.</summary>
/// <remarks>
/// The shell around <see cref="QuorumCore"/>, <see cref="GateCore{TToken}"/> and <see cref="ShippingCore"/>, which decide; it only carries out. One lock guards the three:
/// the writer's turn appends, the journal's thread acks, subscribers come and report. Nothing that waits is completed under it.
/// </remarks>
internal sealed class ReplicatedLog
{
    private const int OwnJournal = 0; // the primary's own node is the first follower
    private const int MaxOutstandingEntries = 4096;
    private const long MaxOutstandingBytes = 64L << 20;
    private const long KeptBytes = 8L << 20;
    private const long WindowBytes = 16L << 20;
    private const int ReadBytes = 4 << 20;

    private readonly Lock _gate = new();
    private readonly IDurableLog _journal;
    private readonly TimeProvider _time;
    private readonly QuorumCore _quorum; // the cores and what follows: under _gate
    private readonly GateCore<GateWaiter> _held;
    private readonly ShippingCore _shipping;
    private readonly RecentEntries _recent = new(KeptBytes);
    private readonly Dictionary<int, Outbox> _outboxes = [];
    private readonly List<ShippingAction> _actions = [];
    private long _outstandingBytes;
    private readonly Queue<(Position End, int Bytes)> _outstanding = new();
    private TaskCompletionSource? _room; // set while the writer waits for room
    private Exception? _failure;
    private long _confirmedAt; // the moment of the newest confirmation, microseconds of the monotonic clock

    public ReplicatedLog(DatabaseId database, IDurableLog journal, Position start, TimeProvider time)
    {
        Database = database;
        _journal = journal;
        _time = time;
        _quorum = new QuorumCore(members: 1, quorum: 1, start);
        _held = new GateCore<GateWaiter>(start);
        _shipping = new ShippingCore(start, start, WindowBytes);
        Appended = start;
    }

    public DatabaseId Database { get; }

    /// <summary>The end of the log. Written by the writer's turn only, under the lock.</summary>
    public Position Appended { get; private set; }

    /// <summary>What a quorum has.</summary>
    public Position Confirmed
    {
        get
        {
            lock (_gate)
            {
                return _held.Confirmed;
            }
        }
    }

    /// <summary>The log cannot go on: its journal failed. Held answers have failed, new ones are refused.</summary>
    public Exception? Failure
    {
        get
        {
            lock (_gate)
            {
                return _failure;
            }
        }
    }

    /// <summary>Called once, outside the lock, when the log fails.</summary>
    public event Action<Exception>? Failed;

    /// <summary>Adds an entry: it goes to the journal and to all subscribers at the same moment. Called by the writer's turn only.</summary>
    public void Append(Entry entry)
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                return; // whatever waits for this entry is refused at the gate
            }

            Appended = entry.End;
            _quorum.Append(entry.End);
            _recent.Add(entry);
            _outstanding.Enqueue((entry.End, entry.Encoded.Length));
            _outstandingBytes += entry.Encoded.Length;
            _shipping.Append(entry.End, entry.Encoded.Length, _actions);
            foreach (var action in _actions)
            {
                _outboxes[action.Subscriber].Add(entry); // an append asks for nothing but this
            }

            _actions.Clear();
        }

        _journal.Append(entry, OnDurable);
    }

    /// <summary>Completes when the writer may run another group: unconfirmed entries are bounded.</summary>
    public Task WaitForRoomAsync()
    {
        lock (_gate)
        {
            if (HasRoom || _failure is not null)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    /// <summary>Lets an answer pass that was computed at a position, now or later.</summary>
    /// <returns><see langword="true"/> if it may go at once; else <see cref="GateWaiter.Complete"/> is called.</returns>
    public bool TryPass(Position computedAt, GateWaiter waiter)
    {
        GateAnswer answer;
        lock (_gate)
        {
            answer = _held.Hold(computedAt, waiter);
        }

        if (answer == GateAnswer.Lost)
        {
            waiter.Complete(passed: false);
        }

        return answer == GateAnswer.Pass;
    }

    /// <summary>Completes when what was computed at a position is confirmed.</summary>
    /// <returns><see langword="false"/> if it never will be.</returns>
    public ValueTask<bool> PassAsync(Position computedAt)
    {
        lock (_gate)
        {
            if (computedAt <= _held.Confirmed)
            {
                return ValueTask.FromResult(true);
            }
        }

        var waiter = new TaskGateWaiter();
        return TryPass(computedAt, waiter) ? ValueTask.FromResult(true) : new ValueTask<bool>(waiter.Passed);
    }

    /// <summary>Begins to ship to a subscriber.</summary>
    public int Subscribe(Position from, Outbox outbox)
    {
        lock (_gate)
        {
            var actions = new List<ShippingAction>();
            var id = _shipping.Add(from, actions);
            _outboxes.Add(id, outbox);
            CarryOut(actions);
            if (_failure is not null)
            {
                outbox.Close();
            }

            return id;
        }
    }

    public void Unsubscribe(int id)
    {
        lock (_gate)
        {
            _shipping.Remove(id);
            _outboxes.Remove(id);
        }
    }

    /// <summary>A subscriber says how many bytes of entries it has got in all.</summary>
    public void Report(int id, long receivedBytes)
    {
        lock (_gate)
        {
            _shipping.Report(id, receivedBytes, _actions);
            CarryOut(_actions);
            _actions.Clear();
        }
    }

    /// <summary>Whether this is the end of the log. For those who are not the writer's turn.</summary>
    public bool EndsAt(Position position)
    {
        lock (_gate)
        {
            return position == Appended;
        }
    }

    /// <summary>Reads on for a subscriber that is behind, from memory or from the journal. The caller sends what it gets before it calls <see cref="Shipped"/>.</summary>
    /// <returns>Nothing when the log does not reach back so far.</returns>
    public IReadOnlyList<Entry> Read(Position after)
    {
        var entries = new List<Entry>();
        lock (_gate)
        {
            if (after == Appended || _recent.TryRead(after, ReadBytes, entries))
            {
                return entries;
            }
        }

        return _journal.Read(Database, after, ReadBytes);
    }

    /// <summary>What was read for a subscriber is on its way.</summary>
    public void Shipped(int id, Position last, long bytes)
    {
        lock (_gate)
        {
            _shipping.LogRead(id, last, bytes, _actions);
            CarryOut(_actions);
            _actions.Clear();
        }
    }

    /// <summary>Ends the leadership: nothing is confirmed any more, whatever is held fails.</summary>
    public void Close(Exception reason)
    {
        var failing = new List<GateWaiter>();
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (_failure is not null)
            {
                return;
            }

            _failure = reason;
            _held.Close(failing);
            room = _room;
            foreach (var outbox in _outboxes.Values)
            {
                outbox.Close();
            }
        }

        room?.TrySetResult();
        foreach (var waiter in failing)
        {
            waiter.Complete(passed: false);
        }

        Failed?.Invoke(reason);
    }

    private bool HasRoom => _quorum.Outstanding < MaxOutstandingEntries && _outstandingBytes < MaxOutstandingBytes;

    // On the journal's thread.
    private void OnDurable(Position position, Exception? failure)
    {
        if (failure is not null)
        {
            Close(failure);
            return;
        }

        var passing = new List<GateWaiter>();
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            if (_failure is not null || !_quorum.Ack(OwnJournal, position))
            {
                return;
            }

            var confirmed = _quorum.Confirmed;
            _confirmedAt = _time.NowMicroseconds();
            while (_outstanding.TryPeek(out var oldest) && oldest.End <= confirmed)
            {
                _outstandingBytes -= _outstanding.Dequeue().Bytes;
            }

            _held.Confirm(confirmed, passing);
            _shipping.Confirm(confirmed, _actions);
            CarryOut(_actions, _confirmedAt);
            _actions.Clear();
            _recent.Trim(confirmed);
            if (_room is not null && HasRoom)
            {
                room = _room;
                _room = null;
            }
        }

        room?.TrySetResult();
        foreach (var waiter in passing)
        {
            waiter.Complete(passed: true);
        }
    }

    // Under the lock. Whoever asks to be sent an entry is served by Append, which has it at hand. Only for what is confirmed just now is the
    // moment known; a mark for somebody who subscribes or catches up carries none.
    private void CarryOut(List<ShippingAction> actions, long confirmedAt = 0)
    {
        foreach (var action in actions)
        {
            if (!_outboxes.TryGetValue(action.Subscriber, out var outbox))
            {
                continue;
            }

            if (action.Kind == ShippingActionKind.SendMark)
            {
                outbox.Mark(action.Position, action.Position == _held.Confirmed ? confirmedAt : 0);
            }
            else
            {
                outbox.RequestRead(action.Position);
            }
        }
    }
}
