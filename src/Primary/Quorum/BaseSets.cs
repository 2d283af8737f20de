using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>Finds the follower sets in force at a base that is handed to a follower whose log ends before it.</summary>
/// <remarks>
/// The base is confirmed, so whoever asks the follower later takes the sets there for confirmed too: they must not be an abandoned change. And the follower
/// must not forget a change that it vouched for, or a leadership with an old catalogue could be led past it.
/// </remarks>
internal static class BaseSets
{
    /// <summary>Looks among the sets of the epoch before this leadership's, this one's, and what the follower itself knows to be confirmed.</summary>
    /// <returns><see langword="false"/> if they are not known; <see langword="true"/> and nothing for a follower that knew of none.</returns>
    public static bool TryFind(Position start, KnownSets? older, KnownSets? newer, Promised? follower, out KnownSets? sets)
    {
        var own = follower?.Sets;
        sets = newer is not null && newer.DecidedAt <= start ? newer
            : older is not null && older.DecidedAt <= start ? older
            : own is not null && own.DecidedAt <= follower!.Confirmed ? own
            : null;
        return sets is not null || own is null;
    }
}
