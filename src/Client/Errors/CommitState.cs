namespace ReplicatedSqlite;

/// <summary>What became of a write, as far as is known.</summary>
public enum CommitState
{
    /// <summary>Nobody said.</summary>
    Unspecified = 0,

    /// <summary>Nothing was written, and nothing of it can be written later.</summary>
    NotCommitted = 1,

    /// <summary>It may be written, or be written later, or not.</summary>
    Unknown = 2,

    /// <summary>It is durable.</summary>
    Committed = 3,
}
