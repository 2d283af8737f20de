using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>What candidates work with.</summary>
internal sealed record TakeoverContext
{
    /// <summary>This node.</summary>
    public required NodeRecord Self { get; init; }

    /// <summary>Catalogue and nodes.</summary>
    public required IControlPlane Control { get; init; }

    /// <summary>Ways to the followers.</summary>
    public required IFollowerLinks Followers { get; init; }

    /// <summary>Takes the next epoch, after the one that was seen, and leads. False: somebody else does.</summary>
    public required Func<DatabaseId, uint, CancellationToken, Task<bool>> TakeAsync { get; init; }

    /// <summary>When a leader is taken for lost.</summary>
    public HealthTimes Times { get; init; } = HealthTimes.Default;

    /// <summary>Asks the nodes of a database's followers to look whether its leader is lost, and to take over then.</summary>
    public required Func<DatabaseRecord, Task> AskAsync { get; init; }

    /// <summary>Clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Spreads candidates; used under a lock.</summary>
    public required Random Random { get; init; }

    /// <summary>For what an operator should know.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>Told how a try ended.</summary>
    public Action<string> Count { get; init; } = static _ => { };
}

/// <summary>The shell around one database's <see cref="HealthCore"/> on this node: probes, takes, waits.</summary>
internal sealed class TakeoverCandidate : IDisposable
{
    private static readonly TimeSpan _again = TimeSpan.FromSeconds(1); // after a fault of its own

    private readonly Lock _gate = new();
    private readonly DatabaseId _database;
    private readonly TakeoverContext _context;
    private readonly HealthCore _core; // under _gate
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _stopping = new();
    private bool _disposed; // under _gate

    public TakeoverCandidate(DatabaseId database, Guid ownJournal, TakeoverContext context)
    {
        _database = database;
        _context = context;
        int seed;
        lock (context.Random)
        {
            seed = context.Random.Next();
        }

        _core = new HealthCore(ownJournal, context.Times, new Random(seed));
        _timer = context.Time.CreateTimer(_ => Pass(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The own follower has a stream of a leadership.</summary>
    public void Hear(Promise leader, FollowerSet set) => Step((core, _, _) =>
    {
        core.Follow(leader, set, Rank());
        core.Heard(leader);
    });

    /// <summary>That stream went.</summary>
    public void Lose(Promise leader) => Step((core, now, _) => core.Lost(leader, now));

    /// <summary>The leader's node is not alive, and somebody waits.</summary>
    public void Want(Promise leader, FollowerSet set) => Step((core, now, _) =>
    {
        core.Follow(leader, set, Rank());
        core.LeaseEnded(leader, now);
        core.Wanted(now);
    });

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _stopping.Cancel();
        _timer.Dispose();
    }

    // The region that the database should be led in comes first.
    private CandidateRank Rank() =>
        new(IsFollower: true, RegionsNearer: _context.Control.Find(_database)?.PrimaryRegion == _context.Self.Region ? 0 : 1, FollowersAhead: 0);

    private void Step(Action<HealthCore, long, List<HealthAction>> step)
    {
        var actions = new List<HealthAction>();
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            var now = _context.Time.NowMicroseconds();
            step(_core, now, actions);
            if (_core.WakeAt is { } due)
            {
                _timer.Change(TimeSpan.FromMicroseconds(Math.Max(0, due - now)) + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var action in actions)
        {
            switch (action)
            {
                case HealthAction.Probe probe:
                    _ = ProbeAsync(probe);
                    break;
                case HealthAction.TakeEpoch take:
                    _ = TakeAsync(take);
                    break;
                case HealthAction.GiveUp gaveUp:
                    _context.Count("given up");
                    NodeLog.TakeoverGivenUp(_context.Logger, _database, gaveUp.Attempts);
                    break;
            }
        }
    }

    // Nobody is above a timer: what is thrown there ends the process, with all its databases.
    private void Pass()
    {
        try
        {
            Step(static (core, now, actions) => core.Pass(now, actions));
        }
        catch (Exception e)
        {
            _timer.Change(_again, Timeout.InfiniteTimeSpan);
            NodeLog.TakeoverFailed(_context.Logger, _database, e.Message);
        }
    }

    private async Task ProbeAsync(HealthAction.Probe probe)
    {
        ProbeAnswer? answer = null;
        try
        {
            answer = await _context.Followers.ProbeAsync(_database, probe.Member, probe.Activation, _stopping.Token);
        }
        catch (Exception)
        {
            // It could not be asked.
        }

        Step((core, now, actions) => core.Answered(probe.Member, probe.Round, answer, now, actions));
    }

    private async Task TakeAsync(HealthAction.TakeEpoch take)
    {
        var succeeded = false;
        try
        {
            _context.Count("begun");
            NodeLog.TakingOver(_context.Logger, _database, take.Reason);
            succeeded = await _context.TakeAsync(_database, take.Seen, _stopping.Token);
        }
        catch (Exception e)
        {
            // Whatever it was: the core waits to be told, and tries again.
            _context.Count("failed");
            NodeLog.TakeoverFailed(_context.Logger, _database, e.Message);
        }
        finally
        {
            Step((core, now, actions) => core.Took(succeeded, now, actions));
        }
    }
}
