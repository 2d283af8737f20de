using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>One database's core over the node's journal, with the streams of its leaders. All of it is under one lock.</summary>
/// <remarks>
/// The journal tells back on its own thread, one record at a time; that only notes the ticket, and the core hears of the newest one when the whole group is told
/// (<see cref="ToldFollowers"/>). So a group of many records makes one acknowledgement. A write that fails leaves core and journal of different minds: then the core goes, the streams are closed, and once
/// nothing of it is on its way any more a new one begins from what is on disk, as after a start.
/// </remarks>
internal sealed partial class DatabaseFollower : IThreadPoolWorkItem, IDisposable
{
    private readonly Lock _gate = new();
    private readonly FollowerNode _node;
    private readonly NodeJournal _journal;
    private readonly ToldFollowers _told;
    private readonly DatabaseId _database;
    private readonly Dictionary<int, IFollowerSink> _sinks = [];
    private readonly Dictionary<int, Promise> _leaders = []; // by stream, as each began
    private readonly List<FollowerAction> _actions = [];
    private FollowerCore? _core; // null while what the last one ordered is on its way
    private string _restartReason = "";
    private int _lastStream;
    private int _outstanding; // by Interlocked: writes that were not told back
    private Task _room = Task.CompletedTask;
    private ITimer? _timer;
    private long _timerAt = long.MaxValue;
    private long _written; // by Interlocked: the newest ticket that was told back
    private Exception? _fault; // by Interlocked
    private int _isScheduled; // by Interlocked
    private bool _isDropped;

    /// <exception cref="EntryFormatException">The note in the journal cannot be read.</exception>
    public DatabaseFollower(FollowerNode node, NodeJournal journal, ToldFollowers told, DatabaseId database, long startedAt)
    {
        _node = node;
        _journal = journal;
        _told = told;
        _database = database;
        _core = NewCore(startedAt);
    }

    public NodeJournal Journal => _journal;

    /// <summary>Forgotten; another object takes its place.</summary>
    public bool IsDropped => Volatile.Read(ref _isDropped);

    /// <summary>Begins a stream.</summary>
    /// <returns><see langword="null"/> if this object is forgotten already: get another one.</returns>
    public FollowerStream? TryOpen(Promise promise, IFollowerSink sink)
    {
        lock (_gate)
        {
            if (_isDropped)
            {
                return null;
            }

            var stream = ++_lastStream;
            if (_core is null)
            {
                sink.End(_restartReason);
            }
            else
            {
                _core.Opened(stream, promise.Activation, _node.Now);
                _sinks.Add(stream, sink);
                _leaders.Add(stream, promise);
                _node.Tell(_database, promise, LeaderNews.Heard);
            }

            return new(this, stream);
        }
    }

    /// <summary>A leader's message.</summary>
    /// <returns>Completes when the journal has room for more.</returns>
    public Task Receive(int stream, LeaderMessage message)
    {
        lock (_gate)
        {
            if (_sinks.ContainsKey(stream))
            {
                Step(core => core.Receive(stream, message, _node.Now, _actions));
            }

            return _room;
        }
    }

    /// <summary>A stream went.</summary>
    public void Close(int stream, bool released)
    {
        lock (_gate)
        {
            if (_sinks.Remove(stream))
            {
                _core?.Closed(stream, released, _node.Now);
                if (_leaders.Remove(stream, out var leader))
                {
                    _node.Tell(_database, leader, released ? LeaderNews.Released : LeaderNews.Lost);
                }
            }
        }
    }

    public bool? MayRead(Promise by)
    {
        lock (_gate)
        {
            return _isDropped ? null : _core?.MayRead(by) ?? false;
        }
    }

    /// <summary>For a candidate; <see langword="null"/> if this object is forgotten already, or begins anew just now.</summary>
    public ProbeAnswer? Probe(ulong activation)
    {
        lock (_gate)
        {
            return _isDropped || _core is not { } core ? null : new(core.HasLost(activation, _node.Now), core.Promised, core.Durable);
        }
    }

    /// <summary>What is known to be confirmed, of what is on disk.</summary>
    public Position? Confirmed
    {
        get
        {
            lock (_gate)
            {
                return _isDropped || _core is not { } core ? null : core.Confirmed < core.Durable ? core.Confirmed : core.Durable;
            }
        }
    }

    /// <summary>The newest follower sets and what is promised.</summary>
    public (ImmutableArray<KnownSets> Sets, Promise Promised)? State
    {
        get
        {
            lock (_gate)
            {
                return _isDropped || _core is not { } core ? null : ([.. core.AllSets], core.Promised);
            }
        }
    }

    /// <summary>Forgets a database that nobody speaks of and whose lease is over: another object would behave like this one.</summary>
    public bool TryDrop()
    {
        lock (_gate)
        {
            if (_sinks.Count == 0 && _outstanding == 0 && _core is not null && _core.IsIdle(_node.Now))
            {
                _isDropped = true;
                _timer?.Dispose();
            }

            return _isDropped;
        }
    }

    /// <summary>Ends it for good, with the journal that it wrote to.</summary>
    public void Drop(string reason)
    {
        lock (_gate)
        {
            _isDropped = true;
            Break(reason);
            _timer?.Dispose();
        }
    }

    public void Dispose() => Drop("The node stops.");

    /// <summary>Empties the log; the promise stays, so that nobody of the time before is ever obeyed.</summary>
    public Task ForgetAsync() => BeginAtAsync(Position.Start, "The database is not kept here any more.");

    /// <summary>The same; the log goes on behind a position.</summary>
    public Task BeginAtAsync(Position position, string reason)
    {
        lock (_gate)
        {
            Break(reason);
            var emptied = _journal.StartAtAsync(_database, position);
            Interlocked.Increment(ref _outstanding);
            return TrackAsync(emptied);
        }
    }

    /// <summary>Goes on, unless somebody else is at work here, perhaps with the disk: the journal's thread does not wait for that.</summary>
    public bool TryGoOnHere()
    {
        if (!_gate.TryEnter())
        {
            return false;
        }

        try
        {
            GoOn();
            return true;
        }
        finally
        {
            _gate.Exit();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        lock (_gate)
        {
            GoOn();
        }
    }

    // Under the gate.
    private void GoOn()
    {
        Interlocked.Exchange(ref _isScheduled, 0); // what is told from now on schedules again
        if (Volatile.Read(ref _fault) is { } fault)
        {
            Fail(fault);
        }

        if (_core is null && _outstanding == 0 && !_isDropped && !TryBeginAnew())
        {
            return;
        }

        Step(core => core.Written(Interlocked.Read(ref _written), _node.Now, _actions));
    }

    // As after a start: the lease that was given is not known any more.
    private bool TryBeginAnew()
    {
        try
        {
            Interlocked.Exchange(ref _written, 0); // the old core's tickets
            _core = NewCore(_node.Now);
            return true;
        }
        catch (Exception e) when (e is JournalException or EntryFormatException or IOException or ObjectDisposedException)
        {
            _isDropped = true; // its journal is going away, or cannot be read: whoever asks next gets another object, or is told why not
            if (e is not EntryFormatException) // that is this database's note alone
            {
                _node.JournalHasFailed(_journal, e);
            }

            return false;
        }
    }

    private FollowerCore NewCore(long startedAt)
    {
        var note = _journal.NoteOf(_database);
        return new(
            _journal.Id,
            new(_journal.LastOf(_database), _journal.FirstOf(_database), note.IsEmpty ? null : FollowerNote.Decode(note.Span)),
            new JournalLogView(_journal, _database),
            FollowerTimes.Default,
            startedAt);
    }

    private void Step(Action<FollowerCore> step)
    {
        if (_core is null)
        {
            return;
        }

        try
        {
            step(_core);
            foreach (var action in _actions)
            {
                Carry(action);
            }
        }
        catch (Exception e)
        {
            // Whatever it is, this runs on threads of the journal's, the timers' and other databases' leaders: it stops this database's follower, and nothing else.
            Fail(e);
        }
        finally
        {
            _actions.Clear();
        }

        Arm();
    }

    private void Break(string reason)
    {
        if (_core is null)
        {
            return;
        }

        _core = null;
        _restartReason = reason;
        _actions.Clear();
        foreach (var sink in _sinks.Values)
        {
            sink.End(reason);
        }

        _sinks.Clear();
        _leaders.Clear();
        if (_outstanding == 0 && Interlocked.Exchange(ref _isScheduled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void Arm()
    {
        var at = _core?.WakeAt ?? long.MaxValue;
        if (at == _timerAt)
        {
            return;
        }

        _timerAt = at;
        if (at == long.MaxValue)
        {
            return; // a timer that fires for nothing does no harm
        }

        _timer ??= _node.Time.CreateTimer(static follower => ((DatabaseFollower)follower!).Pass(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(TimeSpan.FromMicroseconds(Math.Max(0, at - _node.Now) + 1), Timeout.InfiniteTimeSpan);
    }

    private void Pass()
    {
        lock (_gate)
        {
            _timerAt = long.MaxValue;
            Step(core => core.Pass(_node.Now, _actions));
        }
    }
}

/// <summary>A leader's stream to the follower of one database.</summary>
internal readonly record struct FollowerStream(DatabaseFollower Follower, int Number)
{
    /// <summary>Takes a message.</summary>
    /// <returns>Completes when there is room for the next one.</returns>
    public Task Receive(LeaderMessage message) => Follower.Receive(Number, message);

    /// <summary>Ends the stream.</summary>
    public void Close(bool released) => Follower.Close(Number, released);
}
