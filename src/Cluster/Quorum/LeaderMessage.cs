using System.Collections.Immutable;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a leader says to a follower of one database. docs/protocol.md has the table.</summary>
/// <param name="Promise">The leadership that speaks. It is checked against the follower's promise when the message takes effect.</param>
public abstract record LeaderMessage(Promise Promise);

/// <summary>Asks for the promise to take nothing from any other leadership of this epoch or a lower one. Answered by <see cref="Promised"/>.</summary>
/// <param name="Promise">What is to be promised.</param>
/// <param name="Deletes">The promise is the last: the database is deleted, and the follower takes nothing any more.</param>
public sealed record Seal(Promise Promise, bool Deletes = false) : LeaderMessage(Promise);

/// <summary>Entries in order. Answered by <see cref="Acked"/> once they are on disk, or by <see cref="Mismatched"/>.</summary>
/// <param name="Promise">The leadership.</param>
/// <param name="Previous">The predecessor of the first entry; without entries, a place at which the two logs are to be compared.</param>
/// <param name="Entries">Consecutive entries of the leader's log.</param>
public sealed record Append(Promise Promise, Position Previous, ImmutableArray<Entry> Entries) : LeaderMessage(Promise);

/// <summary>A stretch of the bytes of an entry that is too big for one message. The last part makes it an <see cref="Append"/> of that entry.</summary>
/// <param name="Promise">The leadership.</param>
/// <param name="Previous">The entry's predecessor.</param>
/// <param name="EntryEpoch">The entry's epoch.</param>
/// <param name="FirstSequence">The entry's first sequence.</param>
/// <param name="Number">From 0 on, without gaps.</param>
/// <param name="IsLast">Nothing follows.</param>
/// <param name="Bytes">Of the encoded entry.</param>
public sealed record AppendPart(Promise Promise, Position Previous, uint EntryEpoch, ulong FirstSequence, int Number, bool IsLast, ReadOnlyMemory<byte> Bytes)
    : LeaderMessage(Promise);

/// <summary>Empties the follower's log, which goes on behind a durable base that others hold. Answered by <see cref="Acked"/> of the base.</summary>
/// <param name="Promise">The leadership.</param>
/// <param name="Base">Confirmed, and held as a full copy by a quorum or in cold storage.</param>
/// <param name="Sets">The follower sets at the base.</param>
public sealed record StartAt(Promise Promise, Position Base, KnownSets? Sets) : LeaderMessage(Promise);

/// <summary>Everything up to here is confirmed. It names an exact entry.</summary>
/// <param name="Promise">The leadership.</param>
/// <param name="Position">The entry's end.</param>
public sealed record Mark(Promise Promise, Position Position) : LeaderMessage(Promise);

/// <summary>Asks whether the promise still stands. Answered by <see cref="HeartbeatAcked"/>; the ack promises no other leadership for a while.</summary>
/// <param name="Promise">The leadership.</param>
/// <param name="SentAt">The leader's monotonic clock; it comes back.</param>
public sealed record Heartbeat(Promise Promise, long SentAt) : LeaderMessage(Promise);

/// <summary>The log up to here is in a durable base and no longer needed. Refused below the promise and above the confirmed mark.</summary>
/// <param name="Promise">The leadership.</param>
/// <param name="To">The position, which the follower keeps with its hash.</param>
public sealed record Trim(Promise Promise, Position To) : LeaderMessage(Promise);

/// <summary>The leader's own word that it answers no read any more: what its heartbeats were promised ends now.</summary>
/// <param name="Promise">The leadership.</param>
public sealed record Resign(Promise Promise) : LeaderMessage(Promise);
