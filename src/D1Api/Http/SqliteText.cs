using System.Globalization;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>SQLite's errors in D1's words, e.g. <c>UNIQUE constraint failed: t.c: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)</c>: ORMs read them. What is said here in more words stays in the answer's <c>detail</c>.</summary>
internal static class SqliteText
{
    private const string NoTransactions =
        "To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. " +
        "The JavaScript API is safer because it will automatically roll back on exceptions, and because it interacts correctly with Durable Objects' automatic atomic write coalescing.";

    /// <summary>What an error of SQLite is answered with.</summary>
    public static string Of(SqlError error, string message)
    {
        if (error.SqliteCode == 0)
        {
            return message;
        }

        var offset = error.SqlOffset >= 0 && !message.Contains(" at offset ", StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $" at offset {error.SqlOffset}")
            : "";
        return error.Code.StartsWith(ErrorCodes.SqliteConstraint + "_", StringComparison.Ordinal) ? $"{message}{offset}: {ErrorCodes.SqliteConstraint} (extended: {error.Code})"
            : error.Code == ErrorCodes.SqliteAuth ? OfDenial(message, offset)
            : $"{message}{offset}: {error.Code}";
    }

    /// <summary>What a text is answered with that SQLite never saw.</summary>
    public static string OfInvalid(string message) => message.Contains("holds no SQL", StringComparison.Ordinal) ? "SQL code did not contain a statement." : message;

    private static string OfDenial(string message, string offset) =>
        message.StartsWith("BEGIN, COMMIT", StringComparison.Ordinal) || message.StartsWith("SAVEPOINT, RELEASE", StringComparison.Ordinal) ? NoTransactions
        : message.Split(' ') is ["the", "function", var function, "is", "not", ..] && function.EndsWith("()", StringComparison.Ordinal)
            ? $"not authorized to use function: {function[..^2]}{offset}: {ErrorCodes.SqliteError}"
            : $"not authorized: {ErrorCodes.SqliteAuth}";
}
