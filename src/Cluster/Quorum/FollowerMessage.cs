using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a follower answers a leader. docs/protocol.md has the table.</summary>
/// <param name="Promise">The leadership that is answered.</param>
public abstract record FollowerMessage(Promise Promise);

/// <summary>The promise is on disk, and so is everything that is named here.</summary>
/// <param name="Promise">What is promised.</param>
/// <param name="Last">The end of the follower's log, of whole entries.</param>
/// <param name="First">The log reaches back to here.</param>
/// <param name="Confirmed">The greatest mark that lies in this log; the start if none is known.</param>
/// <param name="Sets">The newest follower sets in this log.</param>
public sealed record Promised(Promise Promise, Position Last, Position First, Position Confirmed, KnownSets? Sets) : FollowerMessage(Promise);

/// <summary>Another leadership was promised; the one that asks is over.</summary>
/// <param name="Promise">Who asked.</param>
/// <param name="Instead">What was promised.</param>
/// <param name="Deleted">The promise is a deleted database's last.</param>
public sealed record Refused(Promise Promise, Promise Instead, bool Deleted) : FollowerMessage(Promise);

/// <summary>This journal is no follower of the database: empty, new, another one than was asked for, or damaged. It neither votes nor acks.</summary>
/// <param name="Promise">Who asked.</param>
/// <param name="Reason">What was found.</param>
public sealed record NotMember(Promise Promise, string Reason) : FollowerMessage(Promise);

/// <summary>The greatest position of the leader's own log up to which this log is equal by hash and on disk.</summary>
/// <param name="Promise">Whose log.</param>
/// <param name="Position">The position.</param>
public sealed record Acked(Promise Promise, Position Position) : FollowerMessage(Promise);

/// <summary>The entries do not follow on this log.</summary>
/// <param name="Promise">Who sent them.</param>
/// <param name="Previous">What was named and is not here.</param>
/// <param name="Own">The greatest position here that is not above it.</param>
/// <param name="First">The log reaches back to here.</param>
public sealed record Mismatched(Promise Promise, Position Previous, Position Own, Position First) : FollowerMessage(Promise);

/// <summary>The promise stands, and no other will be given for a while.</summary>
/// <param name="Promise">The leadership.</param>
/// <param name="SentAt">As the heartbeat said.</param>
public sealed record HeartbeatAcked(Promise Promise, long SentAt) : FollowerMessage(Promise);
