using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The newest follower sets that somebody knows, and the epoch entry that decided them.</summary>
/// <param name="DecidedAt">The end of the epoch entry, by which newer and older are told apart.</param>
/// <param name="Sets">What it says.</param>
public sealed record KnownSets(Position DecidedAt, FollowerSets Sets);
