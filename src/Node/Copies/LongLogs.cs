using System.Collections.Concurrent;
using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Brings copies up to date that the logs which this node follows need: where one has become long, so that it may be trimmed; and where one begins behind what the copy here holds.</summary>
/// <remarks>
/// A log is trimmed to what the main files on the nodes of a quorum of followers hold. Copies that readers use do that by the way; a database that is only written, or has no
/// replicas, needs this. A follower that came later has the log from where the others begin, and no copy: until it has one, the loss of those that had could leave a quorum of logs with nothing
/// to replay them over. Safe for use by any thread.
/// </remarks>
internal sealed class LongLogs : IAsyncDisposable
{
    private const int MaxAtOnce = 4;
    private const int MaxLooks = 100; // at files, at a time

    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _betweenLooks = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _lastReports = TimeSpan.FromSeconds(5); // a copy that holds everything has told the primary by then

    private readonly ConcurrentDictionary<DatabaseId, CancellationTokenSource> _kept = new(); // whose copies are being brought up to date
    private readonly ConcurrentDictionary<DatabaseId, Position> _done = new(); // ends of logs that the copies here hold, and that stayed long all the same
    private readonly Dictionary<DatabaseId, KnownBase> _bases = []; // of the watching loop
    private readonly NodeContext _node;
    private readonly GrainDirectory<IDatabaseCopy> _replicas;
    private readonly Func<DatabaseId, Position?> _copyOf;
    private readonly long _bound;
    private readonly bool _keepsBases;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;

    /// <param name="node">This node.</param>
    /// <param name="replicas">Bring copies up to date while they are used.</param>
    /// <param name="copyOf">What the main file of a copy here holds.</param>
    /// <param name="bound">Bytes above which a log is long.</param>
    /// <param name="keepsBases">The copies are what a log is replayed over: there is no cold storage that has it.</param>
    public LongLogs(NodeContext node, GrainDirectory<IDatabaseCopy> replicas, Func<DatabaseId, Position?> copyOf, long bound, bool keepsBases)
    {
        (_node, _replicas, _copyOf, _bound, _keepsBases) = (node, replicas, copyOf, bound, keepsBases);
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
        long? lookedAt = null;
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

                if (_keepsBases && (lookedAt is not { } since || _node.Time.GetElapsedTime(since) >= _betweenLooks))
                {
                    lookedAt = _node.Time.GetTimestamp();
                    LookAtBases();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    // A copy that was once in reach of the log stays good: while the followers are the same, enough of them have one wherever the log is trimmed. It is looked at again when there are others, and
    // when the log was begun anew, which shows as a beginning behind its last end.
    private void LookAtBases()
    {
        var trimmed = _node.Follower.OpenedJournal?.TrimmedLogs ?? [];
        var looks = 0;
        foreach (var (database, first, last) in trimmed)
        {
            if (_node.Control.Find(database) is not { } record || !IsWanted(record))
            {
                _bases.Remove(database);
            }
            else if (_bases.TryGetValue(database, out var known) && known.IsOf(record) && first <= known.Last)
            {
                _bases[database] = known with { Last = last };
            }
            else if (!_kept.ContainsKey(database) && ++looks <= MaxLooks)
            {
                if (_copyOf(database) >= first)
                {
                    _bases[database] = new KnownBase(record.Followers, last);
                }
                else if (_kept.Count < MaxAtOnce)
                {
                    Keep(database);
                }
            }
        }

        if (_bases.Count > trimmed.Count)
        {
            _bases.Keys.Except(trimmed.Select(static log => log.Database)).ToList().ForEach(database => _bases.Remove(database)); // those were forgotten
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
            if (IsLong(database))
            {
                NodeLog.LogIsLong(_node.Logger, database, _node.Follower.OpenedJournal?.BytesOf(database) ?? 0, _bound);
            }
            else
            {
                NodeLog.CopyIsWanted(_node.Logger, database);
            }

            using var lease = await _replicas.UseAsync(database, keeping.Token);
            using var ticks = new PeriodicTimer(_every, _node.Time);
            long? completeAt = null; // since when the copy holds all of the log
            while (IsWanted(database) && !lease.Grain.HasFailed && (IsLong(database) || LacksBase(database)))
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

    private bool IsLong(DatabaseId database) => _node.Follower.OpenedJournal?.BytesOf(database) > _bound;

    private bool LacksBase(DatabaseId database) =>
        _keepsBases && _node.Follower.OpenedJournal?.FirstOf(database) is { } first && first != Position.Start && !(_copyOf(database) >= first);

    private bool IsWanted(DatabaseId database) => _node.Control.Find(database) is { } record && IsWanted(record);

    private bool IsWanted(DatabaseRecord record) => record.PrimaryNode != _node.Self.Id && record.Followers.Any(place => place.Journal == _node.Follower.JournalId);

    private Position LastOf(DatabaseId database) => _node.Follower.OpenedJournal?.LastOf(database) ?? Position.Start;

    // The copy here was in reach of the log, with these followers, when the log ended there.
    private readonly record struct KnownBase(ImmutableArray<FollowerPlace> Followers, Position Last)
    {
        public bool IsOf(DatabaseRecord record) => Followers == record.Followers || Followers.SequenceEqual(record.Followers);
    }
}
