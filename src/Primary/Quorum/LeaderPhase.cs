namespace ReplicatedSqlite.Primary;

/// <summary>How far a leadership is.</summary>
internal enum LeaderPhase
{
    /// <summary>Asks for promises.</summary>
    Sealing,

    /// <summary>Has enough, and brings its own log to what it adopted.</summary>
    Fetching,

    /// <summary>Its log is complete; the epoch entry is on its way to a quorum of every set.</summary>
    Opening,

    /// <summary>The epoch entry is confirmed, and with it all before.</summary>
    Leading,

    /// <summary>Passes its leadership on: nothing is appended any more, nothing is proven.</summary>
    HandingOver,

    /// <summary>So many followers are under the tombstone that nothing can ever be confirmed again.</summary>
    Deleted,

    /// <summary>It is over.</summary>
    Lost,
}
