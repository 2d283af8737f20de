namespace ReplicatedSqlite.Journal;

/// <summary>What an entry is, beyond a set of pages.</summary>
[Flags]
public enum EntryFlags
{
    /// <summary>A transaction, or a group committed together.</summary>
    None = 0,

    /// <summary>Opens an epoch: no pages, an epoch table, and the follower set.</summary>
    EpochEntry = 1,

    /// <summary>The database is deleted. Only together with <see cref="EpochEntry"/>: deleting takes a last epoch.</summary>
    Tombstone = 2,
}
