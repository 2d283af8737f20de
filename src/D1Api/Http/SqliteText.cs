using System.Globalization;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>SQLite's errors in D1's words, e.g. <c>UNIQUE constraint failed: t.c: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)</c>: ORMs read them.</summary>
internal static class SqliteText
{
    public static string Of(SqlError error, string message)
    {
        if (error.SqliteCode == 0)
        {
            return message;
        }

        var offset = error.SqlOffset >= 0 && !message.Contains(" at offset ", StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $" at offset {error.SqlOffset}")
            : "";
        return error.Code.StartsWith(ErrorCodes.SqliteConstraint + "_", StringComparison.Ordinal)
            ? $"{message}{offset}: {ErrorCodes.SqliteConstraint} (extended: {error.Code})"
            : $"{message}{offset}: {error.Code}";
    }
}
