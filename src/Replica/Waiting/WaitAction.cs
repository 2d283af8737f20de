namespace ReplicatedSqlite.Replica;

/// <summary>How a wait for a bookmark ends.</summary>
internal enum WaitResult
{
    /// <summary>Readers here can see it.</summary>
    Reached,

    /// <summary>The time is over.</summary>
    TimedOut,

    /// <summary>It lies on a part of the log that was never confirmed.</summary>
    Abandoned,

    /// <summary>The copy is going away.</summary>
    Closed,
}

/// <summary>One wait that has ended.</summary>
/// <param name="Token">Names the waiter.</param>
/// <param name="Result">How.</param>
internal readonly record struct WaitAction<TToken>(TToken Token, WaitResult Result);
