using System.Collections.Concurrent;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>Takes leaderships over whose leaders this node's follower has lost: one candidate a database, as long as there is something to watch.</summary>
/// <remarks>Safe for use by any thread.</remarks>
internal sealed class Takeovers : IDisposable
{
    private readonly ConcurrentDictionary<DatabaseId, TakeoverCandidate> _candidates = new();
    private readonly TakeoverContext _context;
    private readonly FollowerNode _follower;
    private volatile bool _stopped;

    public Takeovers(TakeoverContext context, FollowerNode follower)
    {
        _context = context;
        _follower = follower;
        follower.LeaderChanged += OnLeaderChanged;
    }

    /// <summary>Somebody wants a database whose primary's node is not alive.</summary>
    public void Wanted(DatabaseRecord database)
    {
        if (!_stopped && database.FollowerSet is { } set && set.Contains(_follower.JournalId) && TryStateOf(database.Id) is { } state)
        {
            Get(database.Id).Want(state.Promised, state.Sets.LastOrDefault()?.Sets.Current ?? set);
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
