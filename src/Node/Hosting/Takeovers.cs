using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Takes leaderships over whose leaders this node's follower has lost: one candidate a database, as long as there is something to watch.</summary>
/// <remarks>Safe for use by any thread.</remarks>
internal sealed class Takeovers : IDisposable
{
    private static readonly TimeSpan _askEvery = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<DatabaseId, TakeoverCandidate> _candidates = new();
    private readonly TakeoverContext _context;
    private readonly FollowerNode _follower;
    private readonly Dictionary<DatabaseId, long> _asked = []; // under its own lock; within the last second
    private volatile bool _stopped;

    public Takeovers(TakeoverContext context, FollowerNode follower)
    {
        _context = context;
        _follower = follower;
        follower.LeaderChanged += OnLeaderChanged;
    }

    /// <summary>Somebody wants a database whose primary's node is not alive. A node that does not follow it, or cannot lead, asks those that do.</summary>
    /// <param name="database">Which.</param>
    /// <param name="mayAsk">Off on behalf of another node.</param>
    public void Wanted(DatabaseRecord database, bool mayAsk = true)
    {
        if (_stopped || database.FollowerSet is not { } set)
        {
            return;
        }

        if (set.Contains(_follower.JournalId) && TryStateOf(database.Id) is { } state)
        {
            Get(database.Id).Want(state.Promised, state.Sets.LastOrDefault()?.Sets.Current ?? set);
        }
        else if (mayAsk && MayAsk(database.Id))
        {
            _ = _context.AskAsync(database);
        }
    }

    // Those who wait for a primary look every 50 ms; once a second is enough for the followers.
    private bool MayAsk(DatabaseId database)
    {
        var now = _context.Time.GetTimestamp();
        lock (_asked)
        {
            foreach (var (old, _) in _asked.Where(asked => _context.Time.GetElapsedTime(asked.Value, now) >= _askEvery).ToList())
            {
                _asked.Remove(old);
            }

            return _asked.TryAdd(database, now);
        }
    }

    /// <summary>The database is deleted.</summary>
    public void Forget(DatabaseId database)
    {
        if (_candidates.TryRemove(database, out var candidate))
        {
            candidate.Dispose();
        }
    }

    /// <summary>Nothing is taken over any more.</summary>
    public void Dispose()
    {
        _stopped = true;
        _follower.LeaderChanged -= OnLeaderChanged;
        foreach (var candidate in _candidates.Values)
        {
            candidate.Dispose();
        }
    }

    private void OnLeaderChanged(DatabaseId database, Promise leader, LeaderNews news)
    {
        if (_stopped)
        {
            return;
        }

        switch (news)
        {
            case LeaderNews.Heard:
                var set = TryStateOf(database)?.Sets.LastOrDefault()?.Sets.Current ?? _context.Control.Find(database)?.FollowerSet;
                if (set is not null)
                {
                    Get(database).Hear(leader, set);
                }

                break;
            case LeaderNews.Lost:
                if (_candidates.TryGetValue(database, out var candidate))
                {
                    candidate.Lose(leader);
                }

                break;
            case LeaderNews.Released:
                if (_candidates.TryRemove(database, out var released))
                {
                    released.Dispose();
                }

                break;
        }
    }

    private TakeoverCandidate Get(DatabaseId database) => _candidates.GetOrAdd(
        database, static (id, owner) => new TakeoverCandidate(id, owner._follower.JournalId, owner._context), this);

    private (System.Collections.Immutable.ImmutableArray<KnownSets> Sets, Promise Promised)? TryStateOf(DatabaseId database)
    {
        try
        {
            return _follower.StateOf(database);
        }
        catch (Journal.JournalException)
        {
            return null; // a journal that cannot be read now leads nothing
        }
    }
}
