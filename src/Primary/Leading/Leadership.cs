using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>One leadership of one database, from its first Seal to its end: the shell around <see cref="LeaderCore"/>, which decides; it only carries out.</summary>
/// <remarks>
/// One lock guards the core. What the core wants done is queued under it and done outside, in order, by whichever thread comes first: followers answer on threads of
/// their own, and may do so while something is sent to them.
/// </remarks>
internal sealed partial class Leadership : IDurableLog, IAsyncDisposable
{
    private const long KeptBytes = 8L << 20;
    private const long MaxUnkeptBytes = 64L << 20;
    private const int FetchBytes = 4 << 20;

    private readonly Lock _gate = new();
    private readonly LeaderCore _core; // under _gate, as all that follows
    private readonly Queue<LeaderAction> _queue = new();
    private readonly List<LeaderAction> _actions = [];
    private readonly RecentEntries _recent = new(KeptBytes);
    private readonly Dictionary<long, TaskCompletionSource<bool>> _proofs = [];
    private long _lastProof;
    private bool _carrying; // a thread is at the queue
    private long _timerDue = long.MaxValue;
    private Position? _wanted; // somebody waits until the own journal has this
    private bool _isHeldBack; // more is confirmed than is told
    private Position _keptShown; // the own journal's end at the last step
    private bool _disposed;
    private bool _isBroken; // the core threw: it is not asked any more
    private TaskCompletionSource? _carried; // set while the end waits for whoever carries out

    private readonly Dictionary<Guid, FollowerHearing> _links = []; // by whoever carries out, one at a time
    private readonly Dictionary<Guid, string> _faults = []; // under _gate: why a follower is missed
    private readonly LeaderStart _start;
    private readonly IFollowerLinks _ways;
    private readonly ILogView _ownLog;
    private readonly Func<Position, bool, CancellationToken, Task<DurableBase?>> _obtainBase;
    private int _basesWanted; // by whoever carries out
    private readonly IOwnFollower _own;
    private readonly LostFollowers? _lostFollowers;
    private readonly BlockingWorkers _workers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PrimaryMetrics _metrics;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<Adoption> _adopted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _kept = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _leading = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _deleted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<LeaderLoss> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IDurableLogObserver? _observer;
    private volatile string? _unavailable;
    private volatile string? _trouble;

    /// <param name="start">What it begins with.</param>
    /// <param name="context">The node.</param>
    /// <param name="obtainBase">
    /// Finds a full copy of the database that holds everything up to a position, at least: the one on this node, or, when it is told so, one from elsewhere, put in its place.
    /// </param>
    public Leadership(LeaderStart start, PrimaryContext context, Func<Position, bool, CancellationToken, Task<DurableBase?>> obtainBase)
    {
        _obtainBase = obtainBase;
        _ownLog = context.OwnFollower.LogOf(start.Database);
        _start = start;
        _ways = context.Followers;
        _own = context.OwnFollower;
        _lostFollowers = context.Lost;
        _workers = context.Readers;
        _time = context.LeaseTime;
        _logger = context.Logger;
        _metrics = context.Metrics;
        _core = new LeaderCore(
            start, _ownLog, context.Options.ReadLease ? LeaderTimes.Default : LeaderTimes.Default with { ReadLease = false }, rules: start.AcceptsLoss ? new LossRules() : null);
        _timer = _time.CreateTimer(_ => OnTime(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whose log.</summary>
    public DatabaseId Database => _start.Database;

    /// <summary>This leadership.</summary>
    public Promise Promise => _start.Promise;

    /// <inheritdoc/>
    public string? Unavailable => _unavailable;

    /// <inheritdoc/>
    public string? Trouble => _trouble;

    /// <summary>Completes when the leadership is over, with the reason.</summary>
    public Task<LeaderLoss> Lost => _lost.Task;

    /// <summary>Completes when nothing can ever be confirmed again: the database is deleted.</summary>
    public Task Deleted => _deleted.Task;

    /// <summary>The end of the log, and what of it is confirmed.</summary>
    public (Position Appended, Position Confirmed) Positions
    {
        get
        {
            lock (_gate)
            {
                return (_core.Appended, _core.Confirmed);
            }
        }
    }

    /// <summary>The followers in force.</summary>
    public KnownSets? Sets
    {
        get
        {
            lock (_gate)
            {
                return _core.Sets;
            }
        }
    }

    /// <summary>Asks for promises and brings the own journal to the log that has to be adopted.</summary>
    /// <returns>What the epoch entry follows, and says of followers.</returns>
    /// <exception cref="RequestException">The leadership is lost already.</exception>
    public async Task<Adoption> RecoverAsync(CancellationToken cancellationToken)
    {
        Begin();
        await Task.WhenAny(_adopted.Task, _lost.Task).WaitAsync(cancellationToken);
        return _lost.Task.IsCompleted ? throw Explain(await _lost.Task) : await _adopted.Task;
    }

    /// <summary>Begins: asks for promises, or goes on with a leadership that was let go.</summary>
    public void Begin() => Run(static (core, now, actions) => core.Start(now, actions));

    /// <summary>Completes when the own journal has the log up to here on disk.</summary>
    /// <exception cref="RequestException">The leadership is lost before that.</exception>
    public async Task KeepAsync(Position position)
    {
        lock (_gate)
        {
            _wanted = position;
        }

        Run(static (_, _, _) => { });
        await Task.WhenAny(_kept.Task, _lost.Task);
        if (!_kept.Task.IsCompleted)
        {
            throw Explain(await _lost.Task);
        }
    }

    /// <summary>Appends the epoch entry and waits until it is confirmed, and with it everything before.</summary>
    /// <exception cref="RequestException">The leadership is lost before that.</exception>
    public async Task OpenAsync(Entry opening, CancellationToken cancellationToken)
    {
        Append(opening);
        await Task.WhenAny(_leading.Task, _lost.Task).WaitAsync(cancellationToken);
        if (!_leading.Task.IsCompleted)
        {
            throw Explain(await _lost.Task);
        }
    }

    /// <summary>Whoever is to hear of confirmations from now on. At once of what is confirmed already.</summary>
    public void Observe(IDurableLogObserver observer)
    {
        _observer = observer;
        var confirmed = Positions.Confirmed;
        if (confirmed != Position.Start)
        {
            observer.OnConfirmed(confirmed);
        }

        observer.OnAvailability();
        if (_lost.Task.IsCompletedSuccessfully)
        {
            observer.OnLost(Explain(_lost.Task.GetAwaiter().GetResult())); // completed: it does not block
        }
    }

    /// <inheritdoc/>
    public void Append(Entry entry)
    {
        lock (_gate)
        {
            if (_disposed || _core.Phase is LeaderPhase.Lost)
            {
                return; // the observer hears of it, and whatever waits for this entry is refused
            }

            _recent.Add(entry);
            Step((core, now, actions) => core.Append(entry, now, actions));
            if (!Queue())
            {
                return;
            }
        }

        CarryOut();
    }

    /// <inheritdoc/>
    public IReadOnlyList<Entry> Read(Position after, int maxBytes)
    {
        var entries = new List<Entry>();
        lock (_gate)
        {
            if (_recent.TryRead(after, maxBytes, entries))
            {
                return entries;
            }
        }

        try
        {
            return _own.Read(_start.Database, after, maxBytes);
        }
        catch (Exception e) when (e is JournalTrimmedException or JournalMismatchException)
        {
            return [];
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> ProveAsync(bool keepsLease = true)
    {
        Task<bool> proof;
        lock (_gate)
        {
            if (_disposed || _isBroken)
            {
                return ValueTask.FromResult(false); // nobody would ever tell
            }

            var token = ++_lastProof;
            Step((core, now, actions) => core.AskProof(token, now, actions, keepsLease));
            if (_actions is [{ Kind: LeaderActionKind.Proof } answer] && answer.Number == token)
            {
                _actions.Clear(); // the lease holds: nobody waits for anything
                SetTimer();
                return ValueTask.FromResult(answer.Ok);
            }

            var waiting = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            _proofs.Add(token, waiting);
            proof = waiting.Task;
            if (!Queue())
            {
                return new ValueTask<bool>(proof);
            }
        }

        CarryOut();
        return new ValueTask<bool>(proof);
    }

    /// <inheritdoc/>
    public void Trim(Position to) => Run((core, now, actions) => core.Trim(to, now, actions));

    /// <summary>Says that no read is answered here any more, so that a successor need not wait for the lease to end.</summary>
    public void Resign() => Run(static (core, now, actions) => core.Resign(now, actions));

    /// <summary>Ends the streams. What was sent goes out first.</summary>
    /// <param name="released">The grain is let go because it is idle, and may come back with the same promise.</param>
    public async ValueTask EndAsync(bool released)
    {
        var carried = Task.CompletedTask;
        lock (_gate)
        {
            _disposed = true;
            if (_carrying)
            {
                _carried ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                carried = _carried.Task;
            }
        }

        await _timer.DisposeAsync();
        await _stopping.CancelAsync();
        await carried; // from here on no link comes any more: one that is left open would make followers believe in this leadership
        foreach (var link in _links.Values.ToList())
        {
            await EndAsync(link, released);
        }

        FailProofs();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => EndAsync(released: false);

    private long Now => _time.NowMicroseconds();

    /// <summary>Who is needed, and why too few are there.</summary>
    public string DescribeMissing()
    {
        lock (_gate)
        {
            var quorum = _core.Sets?.Sets.Current ?? _start.Hint;
            return $"a quorum of {quorum} followers is needed; " + (_faults.Count == 0 ? "too few answer." : string.Join("; ", _faults.Select(fault => $"{fault.Key}: {fault.Value}")) + ".");
        }
    }

    private static RequestException Explain(LeaderLoss loss) => new(ErrorCodes.NoPrimary, $"This node does not lead the database any more: {loss.Text} Try again.");
}
