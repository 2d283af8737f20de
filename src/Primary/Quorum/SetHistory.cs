using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Which follower sets were in force where in the leader's log, as far back as that reaches.</summary>
internal sealed class SetHistory
{
    private readonly List<KnownSets> _sets;

    /// <param name="own">What the own follower has noted, oldest first: from the sets at the beginning of its log on.</param>
    public SetHistory(IEnumerable<KnownSets> own) => _sets = [.. own];

    /// <summary>An entry came into the log.</summary>
    public void Add(Entry entry)
    {
        if (FollowerSets.Of(entry) is { } sets)
        {
            Add(new KnownSets(entry.End, sets));
        }
    }

    /// <summary>Sets of the log.</summary>
    public void Add(KnownSets sets)
    {
        _sets.RemoveAll(known => known.DecidedAt >= sets.DecidedAt);
        _sets.Add(sets);
    }

    /// <summary>The own log begins anew, at a base.</summary>
    public void StartAt(KnownSets? sets)
    {
        _sets.Clear();
        if (sets is not null)
        {
            _sets.Add(sets);
        }
    }

    /// <summary>The log is complete: what is not of it goes.</summary>
    public void Keep(ILogView log) => _sets.RemoveAll(known => known.DecidedAt > log.First && !log.Holds(known.DecidedAt));

    /// <summary>Finds the sets in force at a base that is handed to a follower whose log ends before it.</summary>
    /// <remarks>
    /// The base is confirmed, so whoever asks the follower later takes the sets there for confirmed too: they must not be an abandoned change. And the follower
    /// must not forget a change that it vouched for, or a leadership with an old catalogue could be led past it.
    /// </remarks>
    /// <returns><see langword="false"/> if they are not known; <see langword="true"/> and nothing for a follower that knew of none.</returns>
    public bool TryFind(Position start, Promised? follower, out KnownSets? sets)
    {
        var own = follower?.Sets;
        sets = _sets.FindLast(known => known.DecidedAt <= start) ?? (own is not null && own.DecidedAt <= follower!.Confirmed ? own : null);
        return sets is not null || own is null;
    }
}
