namespace ReplicatedSqlite;

/// <summary>What happens to a read when no copy has reached the session's bookmark in time.</summary>
public enum OnWaitTimeout
{
    /// <summary>The server's choice: the primary answers.</summary>
    Unspecified = 0,

    /// <summary>The primary answers.</summary>
    Forward = 1,

    /// <summary>The read fails with <see cref="BookmarkTimeoutException"/>.</summary>
    Fail = 2,
}
