using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <content>What subscribers are sent: entries and marks, each within its window.</content>
internal sealed partial class ReplicatedLog
{
    private const int IdleFactor = 2; // beats are so much rarer while nothing is written

    /// <summary>Begins to ship to a subscriber.</summary>
    public int Subscribe(Position from, Outbox outbox)
    {
        int id;
        lock (_gate)
        {
            var actions = new List<ShippingAction>();
            id = _shipping.Add(from, actions);
            _outboxes.Add(id, outbox);
            CarryOut(actions);
            if (_failure is not null)
            {
                outbox.Close();
            }
        }

        _ = BeatAsync(); // the first proof goes at once
        return id;
    }

    public void Unsubscribe(int id)
    {
        lock (_gate)
        {
            _shipping.Remove(id);
            _outboxes.Remove(id);
        }
    }

    // One beat for all subscribers, and one proof, which asks a quorum: a thousand idle databases must not keep their followers busy. A replica's staleness counts from
    // the moment of a proof: a primary that was cut off together with it must not keep it fresh for ever.
    private async Task BeatAsync()
    {
        lock (_gate)
        {
            if (_outboxes.Count == 0)
            {
                return;
            }

            _beats.Change(_appended == _beatenAt ? IdleFactor * _heartbeat : _heartbeat, Timeout.InfiniteTimeSpan);
            _beatenAt = _appended;
            if (_isProving)
            {
                Beat(provenAt: null); // one proof is waited for at a time
                return;
            }

            _isProving = true;
        }

        var asked = _time.NowMicroseconds();
        var isProven = false;
        try
        {
            isProven = await _durable.ProveAsync(keepsLease: false);
        }
        finally
        {
            lock (_gate)
            {
                _isProving = false;
                Beat(isProven ? asked : null);
            }
        }
    }

    // Under the lock.
    private void Beat(long? provenAt)
    {
        foreach (var outbox in _outboxes.Values)
        {
            if (provenAt is { } at)
            {
                outbox.Prove(at);
            }

            outbox.Beat();
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
            return position == _appended;
        }
    }

    /// <summary>Reads on for a subscriber that is behind, from memory or from the disk. The caller sends what it gets before it calls <see cref="Shipped"/>.</summary>
    /// <returns>Nothing when the log does not reach back so far.</returns>
    public IReadOnlyList<Entry> Read(Position after)
    {
        lock (_gate)
        {
            if (after == _appended)
            {
                return [];
            }
        }

        return _durable.Read(after, ReadBytes);
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
