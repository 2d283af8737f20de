using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>SQLite's errors in the contract's words.</summary>
internal static class SqlErrors
{
    /// <summary>An error that is SQLite's own.</summary>
    /// <param name="error">What SQLite said.</param>
    /// <param name="statementIndex">Of the failing statement, -1 if none.</param>
    /// <param name="sqlOffset">Byte offset in the SQL as sent, -1 if unknown.</param>
    public static RequestException From(SqliteException error, int statementIndex = -1, int sqlOffset = -1)
    {
        var code = CodeOf(error.ExtendedCode);
        return new RequestException(
            new SqlError
            {
                Code = code,
                StatementIndex = statementIndex,
                SqlOffset = sqlOffset,
                CommitState = CommitState.NotCommitted,
                Retryable = ErrorCodes.IsRetryable(code),
                SqliteCode = error.ExtendedCode,
            },
            error.Message);
    }

    /// <summary>An error that is found before SQLite sees anything.</summary>
    public static RequestException Invalid(string message, int statementIndex = -1, int sqlOffset = -1) =>
        At(ErrorCodes.InvalidRequest, message, statementIndex, sqlOffset);

    /// <summary>Parameters that do not fit their statement.</summary>
    public static RequestException Parameters(string message, int statementIndex) => At(ErrorCodes.Parameters, message, statementIndex);

    /// <summary>The request ran longer than it may.</summary>
    public static RequestException TimedOut(TimeSpan timeout, int statementIndex) => At(
        ErrorCodes.StatementTimeout,
        $"The statements ran longer than their timeout of {timeout.TotalMilliseconds:0.###} ms and were stopped; nothing was done. Raise the timeout or do less at once.",
        statementIndex);

    /// <summary>A read lasted so long that the WAL, which cannot be restarted beside it, grew much too long.</summary>
    public static RequestException InTheWay(int statementIndex) => At(
        ErrorCodes.StatementTimeout,
        "The read was ended: so much was written while it ran that the WAL had to be restarted, which no older read may outlast. Writes go on. Try again, read less at once, or read from a replica.",
        statementIndex);

    /// <summary>The collected results are larger than one answer may be.</summary>
    public static RequestException TooLarge(int maxBytes, int statementIndex) => At(
        ErrorCodes.ResultTooLarge,
        $"The results are larger than {maxBytes} bytes, the most that Execute answers. Use Stream, which sends rows while they are read, or ask for fewer rows.",
        statementIndex);

    /// <summary>Any error of ours, with its place.</summary>
    public static RequestException At(string code, string message, int statementIndex, int sqlOffset = -1, int sqliteCode = 0)
    {
        var error = new RequestException(code, message);
        error.Error.StatementIndex = statementIndex;
        error.Error.SqlOffset = sqlOffset;
        error.Error.SqliteCode = sqliteCode;
        return error;
    }

    private static string CodeOf(int extended) => SqliteCodes.Primary(extended) switch
    {
        SqliteCodes.Constraint => ConstraintName(extended),
        SqliteCodes.Error or SqliteCodes.Range or SqliteCodes.Abort => ErrorCodes.SqliteError,
        SqliteCodes.Mismatch => ErrorCodes.SqliteMismatch,
        SqliteCodes.TooBig => ErrorCodes.SqliteTooBig,
        SqliteCodes.Full => ErrorCodes.SqliteFull,
        SqliteCodes.Corrupt or SqliteCodes.NotADatabase => ErrorCodes.SqliteCorrupt,
        SqliteCodes.Auth => ErrorCodes.SqliteAuth,
        SqliteCodes.Interrupt => ErrorCodes.StatementTimeout,
        // Another process holds the file, or memory is short: nothing was done, and later it may work.
        SqliteCodes.Busy or SqliteCodes.Locked or SqliteCodes.NoMemory => ErrorCodes.Overloaded,
        _ => ErrorCodes.Internal,
    };

    private static string ConstraintName(int extended) => ErrorCodes.SqliteConstraint + ((extended >> 8) switch
    {
        1 => "_CHECK",
        2 => "_COMMITHOOK",
        3 => "_FOREIGNKEY",
        4 => "_FUNCTION",
        5 => "_NOTNULL",
        6 => "_PRIMARYKEY",
        7 => "_TRIGGER",
        8 => "_UNIQUE",
        9 => "_VTAB",
        10 => "_ROWID",
        11 => "_PINNED",
        12 => "_DATATYPE",
        _ => "",
    });
}
