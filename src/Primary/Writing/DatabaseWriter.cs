using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>The turns that own the primary's file: groups of writes, callers who want it for themselves, checkpoints, restarts of the WAL. One at a time.</summary>
/// <remarks>
/// Writes and callers are served in the order in which they came, and that is all there is of fairness. A group takes all the writes that wait before the next such
/// caller; no delay is ever added to wait for company. The turn does not wait for the confirmation of what it wrote: the next group runs while earlier entries travel. Only a checkpoint drains: it waits, with the writes held back, until all is confirmed.
/// </remarks>
internal sealed partial class DatabaseWriter : IAsyncDisposable
{
    private const int MaxGroup = 128;
    private static readonly TimeSpan _patienceWithReaders = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(1); // of a write
    private static readonly TimeSpan _slice = TimeSpan.FromMilliseconds(5); // then other databases have their turn

    private readonly PrimaryContext _context;
    private readonly PrimaryFile _file;
    private readonly ReplicatedLog _log;
    private readonly WriteQueue _queue;
    private readonly Lock _commit; // held around COMMIT, capture and append; readers open snapshots under it
    private readonly List<PendingWrite> _waiting = new(MaxGroup);
    private readonly List<SqlRequest> _requests = new(MaxGroup);
    private readonly List<NewKey> _newKeys = [];
    private readonly RequestKeys _keys;
    private readonly LogTrimmer _trimmer;
    private readonly RunningSnapshots _snapshots;
    private readonly TurnWork _turn;
    private readonly TurnWork _turnHere;
    private readonly ITimer _idleTimer;
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LogState _state; // written by the turns
    private long _wroteAt; // timestamp of the newest commit; written by the turns
    private long _maintainedAt; // timestamp of the newest try to checkpoint; written by the turns
    private int _scheduled; // 1 while a turn runs or is queued, by Interlocked
    private bool _mayRunHere; // the last group was of one short write: then the next one's turn may run on its caller's thread; written by the turns
    private volatile bool _stopping;
    private int _failedCheckpoints; // in a row; written by the turns

    public DatabaseWriter(PrimaryContext context, PrimaryFile file, ReplicatedLog log, LogState state, Lock commit, LogTrimmer trimmer, RunningSnapshots snapshots)
    {
        _context = context;
        _file = file;
        _log = log;
        _state = state;
        _commit = commit;
        _trimmer = trimmer;
        _snapshots = snapshots;
        _keys = new RequestKeys(context.Options);
        _maintainedAt = context.Time.GetTimestamp();
        _queue = new WriteQueue(context.Options.MaxWaitingWrites, context.Metrics);
        _turn = new TurnWork(this, onCaller: false);
        _turnHere = new TurnWork(this, onCaller: true);
        _idleTimer = context.Time.CreateTimer(_ => Schedule(), null, context.Options.IdleCheckpoint, context.Options.IdleCheckpoint);
    }

    /// <summary>Writes and callers that wait for their turn.</summary>
    public int Waiting => _queue.Count;

    /// <summary>Of the newest entry. For those who hold the commit lock.</summary>
    public long CommitTimeMicroseconds => _state.CommitTimeMicroseconds;

    /// <summary>Queues a request. It completes when its entry is confirmed, or with what was refused.</summary>
    /// <exception cref="RequestException">Too many wait, or the primary has stopped.</exception>
    public Task<WriteAnswer> WriteAsync(SqlRequest request)
    {
        var write = new PendingWrite(request, _context.Time.GetTimestamp());
        _queue.Add(write);
        if (Interlocked.Exchange(ref _scheduled, 1) == 0 && !(Volatile.Read(ref _mayRunHere) && _queue.Count == 1 && _context.Writers.TryRunHere(_turnHere)))
        {
            Enqueue();
        }

        return write.Task;
    }

    /// <summary>Refuses what has not begun and what comes, until it is called with nothing.</summary>
    public void Suspend(RequestException? reason) => _queue.Suspend(reason);

    /// <summary>Refuses what has not begun.</summary>
    public void Refuse(RequestException reason) => _queue.Close(reason);

    /// <summary>Lets what has begun end, and checkpoints. Writes that wait are refused.</summary>
    public async ValueTask DisposeAsync()
    {
        await _idleTimer.DisposeAsync();
        Refuse(new RequestException(ErrorCodes.NoPrimary, "The primary is going away. Nothing was done; try again."));
        _stopping = true;
        Schedule();
        await _stopped.Task;
    }

    private void Schedule()
    {
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
        {
            Enqueue();
        }
    }

    private void Enqueue()
    {
        try
        {
            _context.Writers.Enqueue(_turn);
        }
        catch (Exception e) when (e is RequestException or ObjectDisposedException)
        {
            Fail(e);
        }
    }

    // One turn: groups for a short while, then whatever the file needs. Whoever leaves it says who comes next.
    private void RunTurn(bool onCaller)
    {
        var started = _context.Time.GetTimestamp();
        while (_log.Failure is null)
        {
            if (_queue.TakeTurn() is { } pending)
            {
                Leave(() => LendAsync(pending));
                return;
            }

            if (!TryRunGroup())
            {
                break;
            }

            if (NeedsCheckpoint())
            {
                Leave(MaintainAsync);
                return;
            }

            if (!_log.WaitForRoomAsync().IsCompleted)
            {
                Leave(async () =>
                {
                    await _log.WaitForRoomAsync();
                    Enqueue();
                });
                return;
            }

            if (onCaller)
            {
                break; // its own write is done: those of others are not for its thread
            }

            if (_context.Time.GetElapsedTime(started) > _slice)
            {
                Enqueue(); // behind the other databases' turns
                return;
            }
        }

        if (_log.Failure is not null)
        {
            Refuse(Stopped()); // nobody may wait for a turn that never comes
        }

        if (_stopping || NeedsIdleCheckpoint())
        {
            Leave(_stopping ? MaintainAsync : MaintainIdleAsync);
            return;
        }

        Volatile.Write(ref _scheduled, 0);
        if (_queue.Count > 0 || _stopping)
        {
            Schedule(); // it came while we were leaving
        }
    }

    private bool TryRunGroup()
    {
        _waiting.Clear();
        _requests.Clear();
        _queue.Peek(MaxGroup, _waiting);
        if (_waiting.Count == 0)
        {
            return false;
        }

        var started = _context.Time.GetTimestamp();
        _waiting.ForEach(write => _requests.Add(write.Request));
        _context.Metrics.QueueWait.Record(_context.Time.GetElapsedTime(_waiting[0].EnqueuedAt, started).TotalSeconds);
        using var group = _file.Writer.Execute(_requests);
        if (!_queue.TryTake(_waiting, group.Taken))
        {
            return false; // refused meanwhile, all of them: what they did is rolled back
        }

        try
        {
            var commitTime = NextCommitTime();
            StoreKeys(group, commitTime);
            var before = _log.Appended;
            var position = Commit(group, commitTime);
            _keys.End(group.IsCommitted);
            Answer(group, before, position, started);
            Volatile.Write(ref _mayRunHere, group.Taken == 1 && _context.Time.GetElapsedTime(started) < _short);
            return true;
        }
        catch (Exception reason)
        {
            // They left the queue, so nobody else tells them. Whether the journal took their entry is not known here.
            _log.Close(reason);
            var lost = new GroupAnswers(_log, _log.Appended, started, _context.Time);
            for (var i = 0; i < group.Taken; i++)
            {
                lost.Add(_waiting[i], group.Members[i], 0);
            }

            lost.Complete(passed: false);
            throw;
        }
    }

    // The group is complete, so that each write's sequence is known, and its transaction is open.
    private void StoreKeys(PendingGroup group, long commitTime)
    {
        _newKeys.Clear();
        var sequence = _log.Appended.Sequence;
        for (var i = 0; i < group.Taken; i++)
        {
            var member = group.Members[i];
            if (member is { Error: null, Wrote: true })
            {
                sequence++;
                if (_waiting[i].Keyed is { } keyed)
                {
                    _newKeys.Add(keyed.ToRow(member, sequence));
                }
            }
        }

        if (_newKeys.Count > 0)
        {
            group.RunOwn(sql => _keys.Store(sql, _newKeys, _log.Appended.Epoch, commitTime));
        }
    }

    /// <summary>Commits, captures and ships, so that no reader can open a snapshot between the commit and its position.</summary>
    /// <returns>The end of the group's entry; where the log stood, if no page changed.</returns>
    private Position Commit(PendingGroup group, long commitTime)
    {
        lock (_commit)
        {
            // A write that changed no row leaves nothing to capture, and takes no sequence.
            return (group.IsVacuum ? Vacuum(group) : group.Commit()) ? AppendCaptured(group.Members.Count(static member => member is { Error: null, Wrote: true }), commitTime) : _log.Appended;
        }
    }

    // Readers go on meanwhile, in the state before it.
    private bool Vacuum(PendingGroup group)
    {
        _file.BeginVacuum(_log.Appended);
        try
        {
            return group.Commit();
        }
        finally
        {
            _file.EndVacuum();
        }
    }

    // Under the commit lock, behind a commit: until the log ends here, or the leadership does, nobody opens a snapshot that shows it.
    private Position AppendCaptured(int writes, long commitTime)
    {
        try
        {
            return CaptureAndAppend(writes, commitTime);
        }
        catch (Exception reason)
        {
            _log.Abandon(reason);
            throw;
        }
    }

    private Position CaptureAndAppend(int writes, long commitTime)
    {
        if (_file.Capture(_log.Database, _log.Appended, writes, commitTime) is not { } entry)
        {
            return _log.Appended;
        }

        _log.Append(entry);
        _file.NoteState(entry.Predecessor, entry.End, _log.Confirmed);
        if (_log.Failure is not null)
        {
            _file.ForgetImages(); // it may not have been taken
        }

        _state = _state with { CommitTimeMicroseconds = commitTime };
        _wroteAt = _context.Time.GetTimestamp();
        return entry.End; // also when the log has just failed and did not take it: then the gate never opens for it
    }

    // Monotone also when the clock is set back.
    private long NextCommitTime() => Math.Max(_state.CommitTimeMicroseconds, NowMicroseconds);

    private void Answer(PendingGroup group, Position before, Position position, long started)
    {
        _context.Metrics.GroupSize.Record(group.Taken);
        var answers = new GroupAnswers(_log, position, started, _context.Time) { HasEntry = position != before, QuorumWait = _context.Metrics.QuorumWait };
        var sequence = before.Sequence;
        for (var i = 0; i < group.Taken; i++)
        {
            var member = group.Members[i];
            var hasSequence = position != before && member is { Error: null, Wrote: true };
            answers.Add(_waiting[i], member, hasSequence ? ++sequence : position.Sequence);
        }

        if (_log.TryPass(position, answers))
        {
            answers.Complete(passed: true);
        }
    }

    // Takes the turn along into an asynchronous part; it is still the only owner until it calls Enqueue.
    private void Leave(Func<Task> next) => _ = Task.Run(async () =>
    {
        try
        {
            await next();
        }
        catch (Exception e)
        {
            Fail(e);
        }
    });

    private void Fail(Exception reason)
    {
        _log.Close(reason);
        Refuse(Stopped());
        _stopped.TrySetResult(); // no turn comes any more: _scheduled stays set
    }

    private static RequestException Stopped() => new(ErrorCodes.NoPrimary, "The primary stopped. Nothing was done; try again.");

    private long NowMicroseconds => (_context.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private sealed class TurnWork(DatabaseWriter owner, bool onCaller) : BlockingWork
    {
        public override void Run() => owner.RunTurn(onCaller);

        public override void Refuse(Exception reason) => owner.Fail(reason);
    }
}
