namespace ReplicatedSqlite.Journal;

/// <summary>The items that an entry's extension may hold.</summary>
public enum ExtensionTag
{
    /// <summary>The <see cref="ReplicatedSqlite.Journal.EpochTable"/>; in every epoch entry.</summary>
    EpochTable = 1,

    /// <summary>The old and the new follower set; opaque to the log.</summary>
    FollowerSet = 2,
}
