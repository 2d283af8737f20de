using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>What a leadership goes on from: the epoch entry follows.</summary>
/// <param name="Position">The end of the adopted log, which the own journal holds.</param>
/// <param name="Sets">What the epoch entry is to say of followers.</param>
internal readonly record struct Adoption(Position Position, FollowerSets Sets);
