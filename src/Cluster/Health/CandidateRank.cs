using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>How well a node suits as the next leader: a follower first, the nearest region first, the most log first.</summary>
/// <param name="IsFollower">The node's journal is in the set.</param>
/// <param name="RegionsNearer">How many regions with a follower are nearer to the database's home than the node's own.</param>
/// <param name="FollowersAhead">How many followers are known to have more log.</param>
public readonly record struct CandidateRank(bool IsFollower, int RegionsNearer, int FollowersAhead)
{
    /// <summary>Steps to wait before the others are let go first; bounded, so that the last of all still comes.</summary>
    public int Steps => Math.Min(RegionsNearer, 3) + Math.Min(FollowersAhead, 3) + (IsFollower ? 0 : 8);

    /// <summary>Counts followers that have more log, as their probes said.</summary>
    public static int CountAhead(Position own, IEnumerable<Position> others) => others.Count(other => other > own);
}
