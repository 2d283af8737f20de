using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What the journal says of one database when a follower begins. All of it is on disk.</summary>
/// <param name="Last">The end of the log.</param>
/// <param name="First">The log reaches back to here.</param>
/// <param name="Note">The newest note; <see langword="null"/> if there is none.</param>
internal sealed record FollowerState(Position Last, Position First, FollowerNote? Note);
