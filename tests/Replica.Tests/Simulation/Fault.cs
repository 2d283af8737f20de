namespace ReplicatedSqlite.Replica.Tests;

/// <summary>Mistakes that are planted to see that the checkers find them.</summary>
internal enum Fault
{
    None,

    /// <summary>A replica takes a mark for everything that it holds up to (epoch, sequence), whatever the hash.</summary>
    MarkCoversEverythingBelow,

    /// <summary>What a primary says that lost its leadership still counts at the replica.</summary>
    MarkDoesNotFence,

    /// <summary>A replica shows entries when they arrive.</summary>
    HiddenEntriesAreShown,

    /// <summary>Readers are let in before the copy has passed the newest of its pages.</summary>
    MixtureIsShown,

    /// <summary>The window of a subscriber does not bound what is sent.</summary>
    WindowIsIgnored,

    /// <summary>A mark goes out for an entry that was not sent.</summary>
    MarkIsAheadOfEntries,

    /// <summary>A waiter is let go one write too early.</summary>
    WaiterGoesEarly,

    /// <summary>One waiter of those that should go is overlooked.</summary>
    WaiterIsForgotten,

    /// <summary>A bookmark is called abandoned when an unconfirmed epoch shuts it out.</summary>
    AbandonedTooEarly,

    /// <summary>The gate lets pass what is appended.</summary>
    GateIsOpen,

    /// <summary>A subscriber that fell out of its window is never read for.</summary>
    SlowSubscriberIsLeftBehind,
}
