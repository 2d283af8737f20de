using System.Collections.Immutable;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>What a leadership begins with.</summary>
/// <param name="Database">The database.</param>
/// <param name="Promise">The epoch that was won in the control plane, and this leadership's activation.</param>
/// <param name="OwnJournal">The journal of the leader's own node, which is one of the followers.</param>
/// <param name="Hint">The follower set as the catalogue has it: where to begin to ask. It counts only if nobody knows of a set in the log.</param>
/// <param name="OwnSets">The newest sets in the own journal's log.</param>
/// <param name="ChangeTo">The set that is wanted from now on; <see langword="null"/> to keep the present one. A change that is under way is finished first.</param>
internal sealed record LeaderStart(DatabaseId Database, Promise Promise, Guid OwnJournal, FollowerSet Hint, KnownSets? OwnSets, FollowerSet? ChangeTo = null)
{
    /// <summary>All sets that the own follower has noted, oldest first, from those at the beginning of its log on: what is handed to a follower that begins there.</summary>
    public ImmutableArray<KnownSets> OlderSets { get; init; } = [];

    /// <summary>The end of the log, all of it confirmed, when this leadership let its idle grain go; it goes on with the same promise and writes no epoch entry.</summary>
    public Position? Resumed { get; init; }

    /// <summary>The followers that the hint names are all that is left: only they are asked, whatever sets their logs know of.</summary>
    public bool AcceptsLoss { get; init; }

    /// <summary>The leadership is the database's last: it only puts its followers under a tombstone.</summary>
    public bool Deletes { get; init; }

    /// <summary>Promises that the leadership before asked for on this one's behalf and passed on.</summary>
    public ImmutableArray<MemberPromise> Promises { get; init; } = [];
}

/// <summary>What a follower promised.</summary>
/// <param name="Member">Its journal.</param>
/// <param name="Answer">Its answer.</param>
internal sealed record MemberPromise(Guid Member, Promised Answer);
