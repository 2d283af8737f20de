using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite;

/// <summary>What is known about a failed call: the makings of an exception.</summary>
internal sealed record Failure(string Code, string Message)
{
    public int SqliteCode { get; init; }

    public int StatementIndex { get; init; } = -1;

    public int SqlOffset { get; init; } = -1;

    public CommitState CommitState { get; init; } = CommitState.NotCommitted;

    public bool Retryable { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public Bookmark? Bookmark { get; init; }

    public Exception? Cause { get; init; }

    /// <summary>The exception of the type that goes with the code.</summary>
    public ReplicatedSqliteException ToException() => Code switch
    {
        ErrorCodes.BookmarkMalformed => new MalformedBookmarkException(this),
        ErrorCodes.BookmarkForeign => new ForeignBookmarkException(this),
        ErrorCodes.BookmarkFuture => new FutureBookmarkException(this),
        ErrorCodes.BookmarkAbandoned => new AbandonedBookmarkException(this),
        ErrorCodes.BookmarkTimeout => new BookmarkTimeoutException(this),
        ErrorCodes.WriteOutcomeUnknown => new WriteOutcomeUnknownException(this),
        ErrorCodes.CopyStale or ErrorCodes.NoPrimary or ErrorCodes.QuorumUnavailable or ErrorCodes.Overloaded or StatusName.Unavailable =>
            new UnavailableException(this),
        ErrorCodes.StatementTimeout or StatusName.DeadlineExceeded => new StatementTimeoutException(this),
        _ => new ReplicatedSqliteException(this),
    };
}
