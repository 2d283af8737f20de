using System.Collections.Immutable;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>What reading a follower's log gave.</summary>
/// <param name="Outcome">Whether there are entries.</param>
/// <param name="Entries">In order, each checked whole. Empty at the log's end.</param>
/// <param name="Detail">Why there are none, for logs.</param>
/// <param name="First">Where the log begins, if that is the reason.</param>
internal sealed record FollowerRead(FollowerReadOutcome Outcome, ImmutableArray<Entry> Entries, string Detail = "", Position First = default);

/// <summary>Outcomes of reading a follower's log.</summary>
internal enum FollowerReadOutcome
{
    /// <summary>The entries, or the log's end.</summary>
    Read,

    /// <summary>The log begins behind the position: what is missing comes from a durable base.</summary>
    Trimmed,

    /// <summary>The log does not hold the position.</summary>
    NotHeld,

    /// <summary>Another leadership is promised.</summary>
    Refused,

    /// <summary>The journal that was asked for is not there.</summary>
    NotMember,
}
