namespace ReplicatedSqlite;

/// <summary>No copy showed the session's bookmark in time. Nothing was done; the call may be made again.</summary>
public sealed class BookmarkTimeoutException : ReplicatedSqliteException
{
    internal BookmarkTimeoutException(Failure failure)
        : base(failure)
    {
    }
}
