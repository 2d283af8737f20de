namespace ReplicatedSqlite.Protocol;

/// <summary>The values of <c>SqlError.code</c> that do not come from SQLite, as listed at the head of <c>query.proto</c>.</summary>
public static class ErrorCodes
{
#pragma warning disable CS1591 // The contract explains them.
    public const string BookmarkMalformed = "BOOKMARK_MALFORMED";
    public const string BookmarkForeign = "BOOKMARK_FOREIGN";
    public const string BookmarkFuture = "BOOKMARK_FUTURE";
    public const string BookmarkAbandoned = "BOOKMARK_ABANDONED";
    public const string BookmarkTimeout = "BOOKMARK_TIMEOUT";
    public const string Parameters = "PARAMETERS";
    public const string InvalidRequest = "INVALID_REQUEST";
    public const string DatabaseNotFound = "DATABASE_NOT_FOUND";
    public const string DatabaseExists = "DATABASE_EXISTS";
    public const string IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED";
    public const string StatementTimeout = "STATEMENT_TIMEOUT";
    public const string TransactionExpired = "TRANSACTION_EXPIRED";
    public const string QueryKilled = "QUERY_KILLED";
    public const string QueryNotFound = "QUERY_NOT_FOUND";
    public const string Overloaded = "OVERLOADED";
    public const string ResultTooLarge = "RESULT_TOO_LARGE";
    public const string RequestTooLarge = "REQUEST_TOO_LARGE";
    public const string CopyStale = "COPY_STALE";
    public const string NoPrimary = "NO_PRIMARY";
    public const string QuorumUnavailable = "QUORUM_UNAVAILABLE";
    public const string WriteOutcomeUnknown = "WRITE_OUTCOME_UNKNOWN";
    public const string TokenMissing = "TOKEN_MISSING";
    public const string TokenInvalid = "TOKEN_INVALID";
    public const string TokenLacksRight = "TOKEN_LACKS_RIGHT";
    public const string SqliteError = "SQLITE_ERROR";
    public const string SqliteMismatch = "SQLITE_MISMATCH";
    public const string SqliteTooBig = "SQLITE_TOOBIG";
    public const string SqliteAuth = "SQLITE_AUTH";
    public const string SqliteFull = "SQLITE_FULL";
    public const string SqliteCorrupt = "SQLITE_CORRUPT";
    public const string SqliteConstraint = "SQLITE_CONSTRAINT";
    public const string Internal = "INTERNAL";
#pragma warning restore CS1591

    /// <summary>The gRPC status that goes with a code; <see cref="StatusCode.Internal"/> for one that the contract does not know.</summary>
    public static StatusCode StatusOf(string code) => code switch
    {
        SqliteError or SqliteMismatch or SqliteTooBig or BookmarkMalformed or BookmarkForeign or Parameters or InvalidRequest => StatusCode.InvalidArgument,
        BookmarkFuture or BookmarkAbandoned => StatusCode.FailedPrecondition,
        SqliteAuth or TokenLacksRight => StatusCode.PermissionDenied,
        TokenMissing or TokenInvalid => StatusCode.Unauthenticated,
        DatabaseNotFound or QueryNotFound => StatusCode.NotFound,
        DatabaseExists or IdempotencyKeyReused => StatusCode.AlreadyExists,
        StatementTimeout => StatusCode.DeadlineExceeded,
        TransactionExpired or QueryKilled => StatusCode.Aborted,
        SqliteFull or Overloaded or ResultTooLarge or RequestTooLarge => StatusCode.ResourceExhausted,
        BookmarkTimeout or CopyStale or NoPrimary or QuorumUnavailable => StatusCode.Unavailable,
        WriteOutcomeUnknown => StatusCode.Unknown,
        SqliteCorrupt => StatusCode.DataLoss,
        _ when code.StartsWith(SqliteConstraint, StringComparison.Ordinal) => StatusCode.FailedPrecondition,
        _ => StatusCode.Internal,
    };

    /// <summary>Whether a call that failed with this code did nothing and may succeed when it is tried again as it is.</summary>
    public static bool IsRetryable(string code) =>
        code is BookmarkTimeout or CopyStale or NoPrimary or QuorumUnavailable or Overloaded or TransactionExpired;
}
