namespace ReplicatedSqlite.Primary;

/// <summary>How a leader stands with one follower.</summary>
internal enum MemberState
{
    /// <summary>No stream.</summary>
    Away,

    /// <summary>It was asked for its promise.</summary>
    Sealing,

    /// <summary>It promised, and waits until the leader's own log is complete.</summary>
    Promised,

    /// <summary>A place is looked for that its log and the leader's share.</summary>
    Matching,

    /// <summary>It lacks entries, which are read from the log for it.</summary>
    Behind,

    /// <summary>It gets entries as they are appended.</summary>
    Live,

    /// <summary>Its log ends before the leader's begins, and the base cannot be handed to it yet.</summary>
    Stranded,

    /// <summary>Its journal is no member, or contradicts what is confirmed: it neither votes nor acks.</summary>
    Excluded,
}
