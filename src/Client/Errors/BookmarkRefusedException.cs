namespace ReplicatedSqlite;

/// <summary>A bookmark that names no state of this database. Nothing was done; start a new session.</summary>
public abstract class BookmarkRefusedException : ReplicatedSqliteException
{
    private protected BookmarkRefusedException(Failure failure)
        : base(failure)
    {
    }
}

/// <summary>The text is not a bookmark.</summary>
public sealed class MalformedBookmarkException : BookmarkRefusedException
{
    internal MalformedBookmarkException(Failure failure)
        : base(failure)
    {
    }
}

/// <summary>The bookmark is one of another database.</summary>
public sealed class ForeignBookmarkException : BookmarkRefusedException
{
    internal ForeignBookmarkException(Failure failure)
        : base(failure)
    {
    }
}

/// <summary>The bookmark is above everything that the primary knows.</summary>
public sealed class FutureBookmarkException : BookmarkRefusedException
{
    internal FutureBookmarkException(Failure failure)
        : base(failure)
    {
    }
}

/// <summary>The state that the bookmark names is no longer part of the database's history, as after a rebuild from older backups.</summary>
public sealed class AbandonedBookmarkException : BookmarkRefusedException
{
    internal AbandonedBookmarkException(Failure failure)
        : base(failure)
    {
    }
}
