namespace ReplicatedSqlite.Replica;

/// <summary>What the stream does after a message.</summary>
internal enum FeedVerdict
{
    /// <summary>The next message.</summary>
    GoOn,

    /// <summary>End it, and subscribe again.</summary>
    Resubscribe,

    /// <summary>End it, forget the copy, and begin with a snapshot.</summary>
    Diverged,

    /// <summary>The same, because readers met damaged pages.</summary>
    Damaged,

    /// <summary>The same, because a page is not the one that a patch was made for.</summary>
    Mismatch,

    /// <summary>The same, because an entry could not be applied.</summary>
    NotApplied,
}
