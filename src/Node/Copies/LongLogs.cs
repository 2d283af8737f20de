using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Keeps the logs that this node follows short: where one has become long, the node's copy of the database is brought up to date, so that the log may be trimmed to it.</summary>
/// <remarks>
/// A log is trimmed to what the main files on the nodes of a quorum of followers hold. Copies that readers use do that by the way; a database that is only written, or has no
/// replicas, needs this. Safe for use by any thread.
/// </remarks>
internal sealed class LongLogs : IAsyncDisposable
{
    private const int MaxAtOnce = 4;

    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lastReports = TimeSpan.FromSeconds(5); // a copy that holds everything has told the primary by then

    private readonly ConcurrentDictionary<DatabaseId, CancellationTokenSource> _kept = new(); // whose copies are being brought up to date
    private readonly ConcurrentDictionary<DatabaseId, Position> _done = new(); // ends of logs that the copies here hold, and that stayed long all the same
    private readonly NodeContext _node;
    private readonly GrainDirectory<IDatabaseCopy> _replicas;
    private readonly Func<DatabaseId, Position?> _copyOf;
    private readonly long _bound;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;

    /// <param name="node">This node.</param>
    /// <param name="replicas">Bring copies up to date while they are used.</param>
    /// <param name="copyOf">What the main file of a copy here holds.</param>
    /// <param name="bound">Bytes above which a log is long.</param>
    public LongLogs(NodeContext node, GrainDirectory<IDatabaseCopy> replicas, Func<DatabaseId, Position?> copyOf, long bound)
    {
        (_node, _replicas, _copyOf, _bound) = (node, replicas, copyOf, bound);
        _watching = WatchAsync();
    }

    /// <summary>Stops using a database's copy here, which is about to end or to get another role. It is taken up again when it is still wanted.</summary>
    public void Release(DatabaseId database)
    {
        if (_kept.TryGetValue(database, out var keeping))
        {
            keeping.Cancel();
        }
    }

    /// <summary>Uses no copy any more.</summary>
    public void BeginStop()
    {
        _stopping.Cancel();
        foreach (var database in _kept.Keys)
        {
            Release(database);
        }
    }

    public async ValueTask DisposeAsync()
    {
        BeginStop();
        await _watching;
        BeginStop(); // it may have begun with one just then
    }

    private async Task WatchAsync()
    {
        using var ticks = new PeriodicTimer(_every, _node.Time);
        try
        {
            while (await ticks.WaitForNextTickAsync(_stopping.Token))
            {
                foreach (var database in _node.Follower.OpenedJournal?.LogsAbove(_bound) ?? [])
                {
                    if (_kept.Count < MaxAtOnce && IsWanted(database) && LastOf(database) is var last && (!_done.TryGetValue(database, out var done) || done != last))
                    {
                        Keep(database);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private void Keep(DatabaseId database)
    {
        var keeping = new CancellationTokenSource();
        if (_kept.TryAdd(database, keeping))
        {
            _ = KeepAsync(database, keeping);
        }
    }

    private async Task KeepAsync(DatabaseId database, CancellationTokenSource keeping)
    {
        try
        {
            NodeLog.LogIsLong(_node.Logger, database, _node.Follower.OpenedJournal?.BytesOf(database) ?? 0, _bound);
            using var lease = await _replicas.UseAsync(database, keeping.Token);
            using var ticks = new PeriodicTimer(_every, _node.Time);
            long? completeAt = null; // since when the copy holds all of the log
            while (IsWanted(database) && !lease.Grain.HasFailed && _node.Follower.OpenedJournal?.BytesOf(database) > _bound)
            {
                await ticks.WaitForNextTickAsync(keeping.Token);
                var last = LastOf(database);
                completeAt = _copyOf(database) == last ? completeAt ?? _node.Time.GetTimestamp() : null;
                if (completeAt is { } since && _node.Time.GetElapsedTime(since) > _lastReports)
                {
                    _done[database] = last; // the others are not so far: nothing more can be done here
                    return;
                }
            }

            _done.TryRemove(database, out _);
        }
        catch (Exception e) when (e is RequestException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            if (!keeping.IsCancellationRequested)
            {
                NodeLog.LogStaysLong(_node.Logger, database, e.Message); // tried again as long as it is
            }
        }
        finally
        {
            _kept.TryRemove(new(database, keeping));
        }
    }

    private bool IsWanted(DatabaseId database) =>
        _node.Control.Find(database) is { } record && record.PrimaryNode != _node.Self.Id && record.Followers.Any(place => place.Journal == _node.Follower.JournalId);

    private Position LastOf(DatabaseId database) => _node.Follower.OpenedJournal?.LastOf(database) ?? Position.Start;
}
