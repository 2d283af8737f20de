using System.Collections.Concurrent;

namespace ReplicatedSqlite.Cluster;

/// <summary>Which followers are taken for lost, so that others should have their places: those whose nodes have been away for long, and those whose journals are no members any more.</summary>
/// <remarks>As one node sees it, from its start on. Safe for use by any thread; bounded by the followers that the catalogue names.</remarks>
public sealed class LostFollowers
{
    // A journal that is opened again after a fault is a member again by then.
    private static readonly TimeSpan _patienceWithJournals = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, long> _away = new(); // node ids, with the timestamp since when
    private readonly ConcurrentDictionary<Guid, long> _strangers = new(); // journals that said of themselves that they are no members
    private readonly IControlPlane _control;
    private readonly TimeProvider _time;
    private readonly TimeSpan _replaceAfter;

    /// <param name="control">Says who is alive.</param>
    /// <param name="time">Clock.</param>
    /// <param name="replaceAfter">How long a node may be away before its followers are replaced.</param>
    public LostFollowers(IControlPlane control, TimeProvider time, TimeSpan replaceAfter)
    {
        _control = control;
        _time = time;
        _replaceAfter = replaceAfter;
    }

    /// <summary>Looks who is alive now. To be called often, or a node that comes and goes is thought to have been away all the time.</summary>
    public void Look()
    {
        foreach (var node in _control.Nodes)
        {
            _away.TryRemove(node.Id, out _);
        }
    }

    /// <summary>A journal answered a leader that it is no member.</summary>
    public void NoteStranger(Guid journal) => _strangers.TryAdd(journal, _time.GetTimestamp());

    /// <summary>A journal promised something to a leader: it is a member.</summary>
    public void NoteMember(Guid journal) => _strangers.TryRemove(journal, out _);

    /// <summary>Why a follower is taken for lost; <see langword="null"/> if it is not.</summary>
    public string? ReasonFor(FollowerPlace place)
    {
        if (_control.Nodes.FirstOrDefault(node => node.Id == place.NodeId) is { } node)
        {
            return node.JournalId != place.Journal ? "its node has another journal, or none that can be used"
                : _strangers.TryGetValue(place.Journal, out var since) && Elapsed(since) >= Min(_patienceWithJournals, _replaceAfter) ? "it says that it is no member"
                : null;
        }

        return Elapsed(_away.GetOrAdd(place.NodeId, _time.GetTimestamp())) >= _replaceAfter ? $"its node has been away for {_replaceAfter}" : null;
    }

    /// <summary>Whether a journal may take a place.</summary>
    public bool MayFollow(Guid journal) => !_strangers.ContainsKey(journal);

    private TimeSpan Elapsed(long since) => _time.GetElapsedTime(since);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
