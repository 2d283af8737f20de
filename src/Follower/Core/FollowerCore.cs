using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>The follower of one database: what it promises, takes, acknowledges and refuses. docs/protocol.md has the table and says why each rule is safe.</summary>
/// <remarks>
/// A synchronous state machine, used by one thread at a time; times are microseconds of a monotonic clock. What is ordered to be written takes effect in the
/// core at once, and is answered when its ticket comes back. Tickets ascend, and the journal writes in their order, so a ticket stands for all before it.
/// The decisions on which safety rests are methods of their own, so that a test can make one of them wrongly and see that it is noticed.
/// </remarks>
internal partial class FollowerCore
{
    /// <summary>Entries that may be on their way to the disk. A leader's window is smaller; whoever fills this is cut off.</summary>
    public const int MaxUnsyncedEntries = 4_096;

    /// <summary>Bytes that may be on their way to the disk, unless a single entry is larger.</summary>
    public const long MaxUnsyncedBytes = 64 << 20;

    private readonly Guid _journal;
    private readonly FollowerTimes _times;
    private readonly long _startedAt;
    private readonly Dictionary<int, LeaderStream> _streams = [];
    private readonly List<DueReply> _dueReplies = [];
    private string? _divergence;
    private long _lastTicket;
    private long _written;
    private (ulong Activation, long At, bool IsReleased)? _lastClosed;

    /// <param name="journal">This node's journal, by which a leader names its followers.</param>
    /// <param name="recovered">What the journal says of the database.</param>
    /// <param name="log">The durable log.</param>
    /// <param name="times">How long it keeps to its word.</param>
    /// <param name="startedAt">When the process began to take messages for this journal.</param>
    public FollowerCore(Guid journal, FollowerState recovered, ILogView log, FollowerTimes times, long startedAt)
    {
        _journal = journal;
        _times = times;
        _startedAt = startedAt;
        Log = new(log, recovered.First, recovered.Last);
        Confirmed = recovered.First;
        if (recovered.Note is { } note)
        {
            Recover(note);
        }
    }

    private readonly record struct DueReply(long Ticket, int Stream, LeaderMessage Message);

    /// <summary>The leadership that was promised last; all others of its epoch and below are refused.</summary>
    public Promise Promised { get; private set; }

    /// <summary>The end of the log with what is not on disk yet.</summary>
    public Position Appended => Log.Last;

    /// <summary>The end of what is on disk and will stay; the log's first position while it is being emptied.</summary>
    public Position Durable => Log.Synced ?? Log.First;

    /// <summary>The greatest mark that lies in this log.</summary>
    public Position Confirmed { get; private set; }

    /// <summary>The database is deleted: nothing is taken any more, ever.</summary>
    public bool Deleted { get; private set; }

    /// <summary>A leader contradicted what was confirmed; nothing is taken any more.</summary>
    public bool IsDiverged => _divergence is not null;

    /// <summary>No stream is open and no lease runs: a core made anew would behave like this one.</summary>
    public bool IsIdle(long now) => _streams.Count == 0 && Log.UnsyncedCount == 0 && _lastTicket <= _written && now >= HeldUntil && !IsDiverged;

    /// <summary>Call <see cref="Pass"/> then, at the latest; <see langword="null"/> when nothing waits for time.</summary>
    public long? WakeAt => _parked.Count == 0 ? null : HeldUntil;

    /// <summary>The log with what is on its way to the disk.</summary>
    protected AppendedLog Log { get; }

    /// <summary>Whether a leader that asks for a journal by name means this one. Who asked for another gets <see cref="NotMember"/>.</summary>
    public virtual bool IsMember(Guid asked) => asked == _journal;

    /// <summary>A leader's stream came. Several may be there, of older leaderships too.</summary>
    public void Opened(int stream, ulong activation, long now)
    {
        _ = now; // a stream that is there is not lost, however long
        _streams.Add(stream, new(activation));
        if (_lastClosed?.Activation == activation)
        {
            _lastClosed = null;
        }
    }

    /// <summary>A stream went.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="released">The leader said that it only lets an idle grain go: no loss of leadership.</param>
    /// <param name="now">When.</param>
    public void Closed(int stream, bool released, long now)
    {
        if (_streams.Remove(stream, out var closed))
        {
            DropParts(closed);
            _parked.RemoveAll(parked => parked.Stream == stream);
            _dueReplies.RemoveAll(due => due.Stream == stream);
            _lastClosed = (closed.Activation, now, released);
        }
    }

    /// <summary>A leader says something. It is checked against the promise when it takes effect, which may be later.</summary>
    public void Receive(int stream, LeaderMessage message, long now, List<FollowerAction> actions)
    {
        if (!_streams.TryGetValue(stream, out var from))
        {
            throw new InvalidOperationException($"A message came on stream {stream}, which is not open.");
        }

        if (from.IsEnded)
        {
            return;
        }

        if (from.Parked > 0)
        {
            Park(stream, from, message, actions);
        }
        else
        {
            Take(stream, from, message, now, actions);
        }
    }

    /// <summary>Everything up to this ticket is on disk.</summary>
    public void Written(long ticket, long now, List<FollowerAction> actions)
    {
        _written = Math.Max(_written, ticket);
        Log.Written(ticket);
        for (var i = 0; i < _dueReplies.Count;)
        {
            var due = _dueReplies[i];
            if (due.Ticket > _written)
            {
                i++;
                continue;
            }

            _dueReplies.RemoveAt(i);
            AnswerDue(due, now, actions);
        }

        foreach (var (stream, leader) in _streams)
        {
            Acknowledge(stream, leader, actions);
        }
    }

    /// <summary>Time has passed.</summary>
    public void Pass(long now, List<FollowerAction> actions)
    {
        if (_parked.Count > 0)
        {
            TakeParked(now, actions);
        }
    }

    /// <summary>For a candidate that asks before it takes over. It makes no promise.</summary>
    /// <returns>Another leadership was promised, or this one has had no stream here for a while. Who let an idle grain go is not lost.</returns>
    public bool HasLost(ulong activation, long now)
    {
        if (Promised != Promise.None && Promised.Activation != activation)
        {
            return true;
        }

        if (_streams.Values.Any(stream => stream.Activation == activation))
        {
            return false;
        }

        var last = _lastClosed?.Activation == activation ? _lastClosed : null;
        return last is not { IsReleased: true } && now - (last?.At ?? _startedAt) >= _times.Loss;
    }

    /// <summary>Whether a leadership may read the log: only while it is the one that is promised.</summary>
    public virtual bool MayRead(Promise by) => by == Promised && by != Promise.None && !Deleted && !IsDiverged;

    private long NextTicket() => ++_lastTicket;

    private void Reply(int stream, FollowerMessage message, List<FollowerAction> actions)
    {
        if (_streams.TryGetValue(stream, out var to) && !to.IsEnded)
        {
            actions.Add(new FollowerAction.Reply(stream, message));
        }
    }

    private void End(int stream, LeaderStream leader, string reason, List<FollowerAction> actions)
    {
        leader.IsEnded = true;
        leader.WantsAcks = false;
        DropParts(leader);
        _parked.RemoveAll(parked => parked.Stream == stream);
        leader.Parked = 0;
        actions.Add(new FollowerAction.CloseStream(stream, reason));
    }

    private void Diverge(string reason, List<FollowerAction> actions)
    {
        _divergence = reason;
        actions.Add(new FollowerAction.Diverged(reason));
    }
}
