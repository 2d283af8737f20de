using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

// Promises and leases: which leadership may speak, and when.
internal partial class FollowerCore
{
    private const int MaxParked = 4_096;
    private const int MaxDueReplies = 1_024;

    private readonly record struct ParkedMessage(int Stream, LeaderMessage Message, int Bytes);

    private readonly List<ParkedMessage> _parked = [];
    private long _leaseUntil = long.MinValue;
    private long _promiseTicket; // of the note that keeps the promise, or of the last one that must not be forgotten before an ack
    private bool _mayHaveLeased; // a lease of the time before the start may still run

    /// <summary>Whether somebody must be refused by the promise.</summary>
    protected virtual bool Refuses(Promise asked) => Promised.Refuses(asked);

    /// <summary>Whether a message of a higher epoch is a promise of that epoch. Every one is: else the entries of a leader that never sealed here could be cut by an older one.</summary>
    protected virtual bool IsPromise(LeaderMessage message) => message is not Resign;

    /// <summary>Whether the promise to another leadership must wait: a heartbeat of the present one was acknowledged, or that may have been so before the start.</summary>
    protected virtual bool MustWait(Promise asked, long now) => now < HeldUntil;

    /// <summary>Until when no other leadership is promised after a heartbeat.</summary>
    protected virtual long LeaseEnd(Heartbeat heartbeat, long receivedAt) => receivedAt + _times.Lease;

    /// <summary>A promise that waits refuses heartbeats at once, or a live leader would hold it off for ever.</summary>
    protected virtual bool RefusesHeartbeats => _parked.Count > 0;

    /// <summary>Whether a promise is written before it is answered.</summary>
    protected virtual bool KeepsPromises => true;

    /// <summary>An unfinished entry is forgotten.</summary>
    protected virtual void DropParts(LeaderStream leader) => leader.Parts = null;

    private long HeldUntil => Math.Max(_leaseUntil, _mayHaveLeased ? _startedAt + _times.StartWait : long.MinValue);

    private void Take(int stream, LeaderStream from, LeaderMessage message, long now, List<FollowerAction> actions)
    {
        var asked = message.Promise;
        if (_divergence is { } reason)
        {
            Reply(stream, new NotMember(asked, reason), actions);
            return;
        }

        if (Deleted && !(message is Seal { Deletes: true } && asked == Promised))
        {
            Reply(stream, new Refused(asked, Promised, Deleted: true), actions);
            return;
        }

        if (asked != Promised)
        {
            if (Refuses(asked))
            {
                Refuse(stream, message, actions);
                return;
            }

            if (IsPromise(message))
            {
                if (MustWait(asked, now))
                {
                    Park(stream, from, message, actions);
                    return;
                }

                MakePromise(asked, message is Seal { Deletes: true }, actions);
            }
        }

        Obey(stream, from, message, now, actions);
    }

    private void Obey(int stream, LeaderStream from, LeaderMessage message, long now, List<FollowerAction> actions)
    {
        switch (message)
        {
            case Seal seal:
                DropAllParts();
                if (seal.Deletes && !Deleted)
                {
                    MakePromise(seal.Promise, deletes: true, actions); // it was promised before, as an ordinary one
                }

                ReplyOnceWritten(_lastTicket, stream, from, seal, now, actions);
                break;
            case Append append:
                TakeEntries(stream, from, append.Promise, append.Previous, append.Entries.AsSpan(), actions);
                break;
            case AppendPart part:
                TakePart(stream, from, part, actions);
                break;
            case StartAt start:
                TakeStart(stream, from, start, actions);
                break;
            case Mark mark:
                TakeMark(mark, actions);
                break;
            case Heartbeat when RefusesHeartbeats:
                RefuseHeartbeat(stream, message, actions);
                break;
            case Heartbeat heartbeat:
                ReplyOnceWritten(_promiseTicket, stream, from, heartbeat, now, actions);
                break;
            case Trim trim:
                TakeTrim(trim, actions);
                break;
            case Resign when message.Promise == Promised:
                (_leaseUntil, _mayHaveLeased) = (long.MinValue, false);
                TakeParked(now, actions);
                break;
        }
    }

    private void Refuse(int stream, LeaderMessage message, List<FollowerAction> actions)
    {
        if (message is not Resign) // it goes anyway
        {
            Reply(stream, new Refused(message.Promise, Promised, Deleted), actions);
        }
    }

    private void MakePromise(Promise promise, bool deletes, List<FollowerAction> actions)
    {
        Promised = promise;
        Deleted = deletes;
        _mayHaveLeased = false;
        _matched = null;
        DropAllParts();
        foreach (var stream in _streams.Values)
        {
            stream.WantsAcks = false;
        }

        if (KeepsPromises)
        {
            _promiseTicket = WriteNote(actions);
        }

        if (deletes && Log.First != Log.Last)
        {
            // The log is of no use any more; the note stays for ever, or a leader that has not heard of it could build the log anew.
            var ticket = NextTicket();
            actions.Add(new FollowerAction.WriteStart(Log.Last, ticket));
            Log.StartAt(Log.Last, ticket);
            Confirmed = Log.Last;
        }
    }

    private void DropAllParts()
    {
        foreach (var stream in _streams.Values)
        {
            DropParts(stream);
        }
    }

    // What is answered names only what is on disk, so it waits for what was ordered before it.
    private void ReplyOnceWritten(long ticket, int stream, LeaderStream from, LeaderMessage message, long now, List<FollowerAction> actions)
    {
        if (_dueReplies.Count >= MaxDueReplies)
        {
            End(stream, from, $"{MaxDueReplies} answers wait for the disk already", actions);
            return;
        }

        var due = new DueReply(ticket, stream, message);
        if (ticket <= _written)
        {
            AnswerDue(due, now, actions);
        }
        else
        {
            _dueReplies.Add(due);
        }
    }

    private void AnswerDue(DueReply due, long now, List<FollowerAction> actions)
    {
        var asked = due.Message.Promise;
        if (asked != Promised)
        {
            Reply(due.Stream, new Refused(asked, Promised, Deleted), actions);
        }
        else if (due.Message is Heartbeat heartbeat)
        {
            if (RefusesHeartbeats)
            {
                RefuseHeartbeat(due.Stream, heartbeat, actions);
                return;
            }

            _leaseUntil = Math.Max(_leaseUntil, LeaseEnd(heartbeat, now));
            Reply(due.Stream, new HeartbeatAcked(asked, heartbeat.SentAt), actions);
        }
        else if (Log.Synced is not { } last)
        {
            _dueReplies.Add(due with { Ticket = _lastTicket }); // the log is being emptied: it has no end on disk to name
        }
        else
        {
            var sets = _sets.FindLast(known => known.DecidedAt <= last);
            Reply(due.Stream, new Promised(asked, last, Log.First, Confirmed > last ? last : Confirmed, sets), actions);
        }
    }

    private void RefuseHeartbeat(int stream, LeaderMessage heartbeat, List<FollowerAction> actions)
    {
        var waiting = _parked.MaxBy(static parked => parked.Message.Promise.Epoch).Message;
        Reply(stream, new Refused(heartbeat.Promise, waiting?.Promise ?? Promised, Deleted: false), actions);
    }

    private void Park(int stream, LeaderStream from, LeaderMessage message, List<FollowerAction> actions)
    {
        var bytes = message switch
        {
            Append append => append.Entries.Sum(static entry => entry.Encoded.Length),
            AppendPart part => part.Bytes.Length,
            _ => 0,
        };
        if (_parked.Count >= MaxParked || _parked.Sum(static parked => (long)parked.Bytes) + bytes > MaxUnsyncedBytes)
        {
            End(stream, from, "too much came before the lease of another leader ended; come again", actions);
            return;
        }

        _parked.Add(new(stream, message, bytes));
        from.Parked++;
    }

    // The highest epoch first, so that the others are told at once that they are over; of each stream in the order in which it came.
    private void TakeParked(long now, List<FollowerAction> actions)
    {
        if (_parked.Count == 0 || MustWait(_parked[0].Message.Promise, now))
        {
            return;
        }

        var parked = _parked.OrderByDescending(static parked => parked.Message.Promise.Epoch).ToList();
        _parked.Clear();
        foreach (var stream in _streams.Values)
        {
            stream.Parked = 0;
        }

        foreach (var (stream, message, _) in parked)
        {
            if (_streams.ContainsKey(stream))
            {
                Receive(stream, message, now, actions);
            }
        }
    }
}
