using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>One database's log under one leadership: makes entries durable, confirms them, opens the gate, and ships.</summary>
/// <remarks>
/// The shell around <see cref="GateCore{TToken}"/> and <see cref="ShippingCore"/>, which decide; it only carries out. One lock guards the two:
/// the writer's turn appends, the followers' answers confirm, subscribers come and report. Nothing that waits is completed under it.
/// </remarks>
internal sealed partial class ReplicatedLog : IDurableLogObserver, IDisposable
{
    private const int MaxOutstandingEntries = 4096;
    private const long MaxOutstandingBytes = 64L << 20;
    private const long WindowBytes = 16L << 20;
    private const int ReadBytes = 4 << 20;

    // A connection that breaks and is made again takes less.
    private static readonly TimeSpan _patienceWithFollowers = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly IDurableLog _durable;
    private readonly TimeProvider _time;
    private readonly TimeProvider _leaseTime;
    private readonly ITimer _patience; // runs while something waits for followers
    private readonly ITimer _beats; // runs while somebody subscribes
    private readonly TimeSpan _heartbeat;
    private readonly GateCore<GateWaiter> _held; // the cores and what follows: under _gate
    private readonly ShippingCore _shipping;
    private readonly Dictionary<int, Outbox> _outboxes = [];
    private readonly List<ShippingAction> _actions = [];
    private readonly List<Outbox> _filled = []; // by the writer's turn
    private long _outstandingBytes;
    private readonly Queue<(Position End, int Bytes)> _outstanding = new();
    private Position _appended;
    private Position _beatenAt; // the log's end at the last beat
    private bool _isProving; // a beat waits for its proof
    private TaskCompletionSource? _room; // set while the writer waits for room
    private Exception? _failure;
    private long _confirmedAt; // the moment of the newest confirmation, microseconds of the monotonic clock
    private long? _missedAt; // too few followers have answered since then
    private long _progressAt; // when the oldest unconfirmed entry became the oldest
    private bool _isWatching; // the timer runs
    private bool _refusing; // what is held has been let go as unknown, until a quorum is back

    /// <param name="database">Whose log.</param>
    /// <param name="durable">Makes it durable; tells this log of it from now on, by whoever calls <see cref="IDurableLogObserver"/>.</param>
    /// <param name="start">The end of the epoch entry, confirmed.</param>
    /// <param name="time">Clock.</param>
    /// <param name="leaseTime">Measures how long followers are missed.</param>
    /// <param name="heartbeat">How often subscribers hear of it while it is written.</param>
    public ReplicatedLog(DatabaseId database, IDurableLog durable, Position start, TimeProvider time, TimeProvider leaseTime, TimeSpan heartbeat)
    {
        _heartbeat = heartbeat;
        _beats = time.CreateTimer(_ => _ = BeatAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Database = database;
        _durable = durable;
        _time = time;
        _leaseTime = leaseTime;
        _patience = leaseTime.CreateTimer(_ => WatchPatience(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _held = new GateCore<GateWaiter>(start);
        _shipping = new ShippingCore(start, start, WindowBytes);
        _appended = start;
    }

    public DatabaseId Database { get; }

    /// <summary>The end of the log. The writer's turn alone moves it.</summary>
    public Position Appended
    {
        get
        {
            lock (_gate)
            {
                return _appended;
            }
        }
    }

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

    /// <summary>What waits for a quorum: bytes, and entries.</summary>
    public (long Bytes, int Entries) Unconfirmed
    {
        get
        {
            lock (_gate)
            {
                return (_outstandingBytes, _outstanding.Count);
            }
        }
    }

    /// <summary>Followers are missed for longer than is waited for: why writes are refused. <see langword="null"/> while they are taken.</summary>
    public string? Refusal
    {
        get
        {
            lock (_gate)
            {
                return _refusing ? _durable.Unavailable ?? _durable.Trouble ?? "followers take nothing." : null;
            }
        }
    }

    /// <summary>Called outside the lock when <see cref="Refusal"/> changes.</summary>
    public event Action? RefusalChanged;

    /// <summary>The log cannot go on: the leadership is over. Held answers have failed, new ones are refused.</summary>
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

    /// <summary>Called outside the lock when more is confirmed, with how many bytes of entries. Calls may overtake each other.</summary>
    public event Action<Position, long>? MoreConfirmed;

    /// <summary>Completes with whether this leadership stood at a moment after the call.</summary>
    public ValueTask<bool> ProveAsync() => _durable.ProveAsync();

    /// <summary>The log up to here is in a durable base.</summary>
    public void Trim(Position to) => _durable.Trim(to);

    /// <summary>Adds an entry: it goes to the followers and to all subscribers at the same moment. Called by the writer's turn only.</summary>
    public void Append(Entry entry)
    {
        lock (_gate)
        {
            var isFirst = _appended == _beatenAt && _outboxes.Count > 0;
            _appended = entry.End; // also of a log that has failed: the file shows it from here on, and what is read there must not pass the gate
            if (_failure is not null)
            {
                return; // whatever waits for this entry is refused at the gate
            }

            if (isFirst)
            {
                _beats.Change(_heartbeat, Timeout.InfiniteTimeSpan); // it was idle
            }

            if (_outstanding.Count == 0)
            {
                _progressAt = _leaseTime.GetTimestamp();
            }

            _outstanding.Enqueue((entry.End, entry.Encoded.Length));
            SetPatience();
            _outstandingBytes += entry.Encoded.Length;
            _shipping.Append(entry.End, entry.Encoded.Length, _actions);
            foreach (var action in _actions)
            {
                var outbox = _outboxes[action.Subscriber];
                outbox.Add(entry); // an append asks for nothing but this
                _filled.Add(outbox);
            }

            _actions.Clear();
        }

        // The followers' threads are woken before those of the replicas' pumps: somebody waits for the quorum.
        _durable.Append(entry);
        foreach (var outbox in _filled)
        {
            outbox.Wake();
        }

        _filled.Clear();
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
            answer = _refusing && computedAt > _held.Confirmed ? GateAnswer.Lost : _held.Hold(computedAt, waiter);
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

    /// <summary>Ends the leadership after a commit that the log did not get: what the file shows from here on never passes the gate. Called by the writer's turn only.</summary>
    public void Abandon(Exception reason)
    {
        lock (_gate)
        {
            _appended = new Position(uint.MaxValue, ulong.MaxValue, default);
        }

        Close(reason);
    }

    /// <inheritdoc/>
    public void OnConfirmed(Position position)
    {
        var passing = new List<GateWaiter>();
        TaskCompletionSource? room = null;
        bool isBack;
        long bytes = 0;
        lock (_gate)
        {
            if (_failure is not null || position <= _held.Confirmed)
            {
                return; // another thread was quicker with a later one
            }

            _confirmedAt = _time.NowMicroseconds();
            while (_outstanding.TryPeek(out var oldest) && oldest.End <= position)
            {
                bytes += _outstanding.Dequeue().Bytes;
            }

            _outstandingBytes -= bytes;

            _progressAt = _leaseTime.GetTimestamp();
            isBack = _refusing;
            _held.Confirm(position, passing);
            _shipping.Confirm(position, _actions);
            CarryOut(_actions, _confirmedAt);
            _actions.Clear();
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

        if (isBack)
        {
            WatchPatience();
        }

        MoreConfirmed?.Invoke(position, bytes);
    }

    /// <inheritdoc/>
    public void OnAvailability() => WatchPatience(() => _missedAt = _durable.Unavailable is null ? null : _missedAt ?? _leaseTime.GetTimestamp());

    /// <inheritdoc/>
    public void OnLost(Exception reason) => Close(reason);

    /// <summary>Ends the timers.</summary>
    public void Dispose()
    {
        _beats.Dispose();
        _patience.Dispose();
    }

    private bool HasRoom => _outstanding.Count < MaxOutstandingEntries && _outstandingBytes < MaxOutstandingBytes;

    // What waits for followers that do not come back, or take nothing, is told so. It may be confirmed later all the same. Both are looked at: one whose
    // disk is full comes back again and again.
    private void WatchPatience(Action? change = null)
    {
        List<GateWaiter> failing = [];
        bool changed;
        lock (_gate)
        {
            change?.Invoke();
            var refusing = _failure is null && (IsOver(_missedAt) || IsOver(_outstanding.Count > 0 ? _progressAt : null));
            changed = refusing != _refusing;
            _refusing = refusing;
            if (refusing && changed)
            {
                _held.LetGo(failing);
            }

            SetPatience();
        }

        if (changed)
        {
            RefusalChanged?.Invoke();
        }

        foreach (var waiter in failing)
        {
            waiter.Complete(passed: false);
        }
    }

    private bool IsOver(long? since) => since is { } began && _leaseTime.GetElapsedTime(began) >= _patienceWithFollowers + TransferTime;

    // A large transaction is on its way for longer than that: a microsecond for each byte, as on a path of 1 MB/s.
    private TimeSpan TransferTime => _outstanding.TryPeek(out var oldest) ? TimeSpan.FromMicroseconds(oldest.Bytes) : TimeSpan.Zero;

    // Under the lock.
    private void SetPatience()
    {
        var waits = _failure is null && !_refusing && (_missedAt is not null || _outstanding.Count > 0);
        if (waits != _isWatching)
        {
            _isWatching = waits;
            var every = waits ? _patienceWithFollowers / 4 : Timeout.InfiniteTimeSpan;
            _patience.Change(every, every);
        }
    }
}
