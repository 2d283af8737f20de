using System.Data.Common;

namespace ReplicatedSqlite;

/// <summary>A call that failed, in the contract's words. Subclasses name the failures that applications treat differently.</summary>
public class ReplicatedSqliteException : DbException
{
    internal ReplicatedSqliteException(Failure failure)
        : base(failure.Message, failure.Cause)
    {
        Code = failure.Code;
        SqliteCode = failure.SqliteCode;
        StatementIndex = failure.StatementIndex;
        SqlOffset = failure.SqlOffset;
        CommitState = failure.CommitState;
        IsTransient = failure.Retryable;
        RetryAfter = failure.RetryAfter;
        Bookmark = failure.Bookmark;
    }

    /// <summary>The code from the table at the head of <c>query.proto</c>, for example <c>SQLITE_CONSTRAINT_UNIQUE</c>; without an answer from a server that knows the contract, the gRPC status (<c>UNAVAILABLE</c>).</summary>
    public string Code { get; }

    /// <summary>SQLite's extended result code, for example 2067 (SQLITE_CONSTRAINT_UNIQUE); 0 if the failure is not SQLite's.</summary>
    public int SqliteCode { get; }

    /// <summary>SQLite's primary result code, for example 19 (SQLITE_CONSTRAINT); 0 if the failure is not SQLite's.</summary>
    public int SqliteErrorCode => SqliteCode & 0xff;

    /// <summary>The same as <see cref="SqliteCode"/>, by the name that Microsoft.Data.Sqlite has for it.</summary>
    public int SqliteExtendedErrorCode => SqliteCode;

    /// <summary>The same as <see cref="SqliteErrorCode"/>.</summary>
    public override int ErrorCode => SqliteErrorCode;

    /// <summary>The failing statement, from 0; those inside a script count. -1 if none.</summary>
    public int StatementIndex { get; }

    /// <summary>Where in the SQL as it was sent, in bytes of UTF-8. -1 if unknown.</summary>
    public int SqlOffset { get; }

    /// <summary>Whether anything was written.</summary>
    public CommitState CommitState { get; }

    /// <summary>Whether the same call may succeed when it is made again as it is, and making it again does no harm.</summary>
    public override bool IsTransient { get; }

    /// <summary>How long the server asks to wait before the next attempt.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>A state at or after the one that the error was computed from; a session has taken it up already.</summary>
    public Bookmark? Bookmark { get; }
}
