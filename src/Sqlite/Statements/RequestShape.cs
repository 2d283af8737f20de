namespace ReplicatedSqlite.Sqlite;

/// <summary>The rules on a request's statements that need no SQLite.</summary>
internal static class RequestShape
{
    /// <exception cref="Protocol.RequestException">INVALID_REQUEST.</exception>
    public static void Check(SqlRequest request)
    {
        if (request.Statements.Count == 0)
        {
            throw SqlErrors.Invalid("The request holds no statement.");
        }

        if (request.Script && request.Statements.Count != 1)
        {
            throw SqlErrors.Invalid(
                $"With `script` there is one Statement, whose SQL holds them all; {request.Statements.Count} came. Send them without `script`, or as one text.");
        }
    }

    /// <summary>The text of a statement, where an empty one means the previous one's.</summary>
    /// <param name="request">The request.</param>
    /// <param name="index">Of the statement.</param>
    /// <param name="previous">The previous one's text.</param>
    /// <exception cref="Protocol.RequestException">INVALID_REQUEST: there is no previous one.</exception>
    public static string Sql(SqlRequest request, int index, string? previous)
    {
        var sql = request.Statements[index].Sql;
        return sql.Length > 0 ? sql : previous ?? throw SqlErrors.Invalid("The first statement holds no SQL.", index);
    }

    /// <summary>Whether a request is a VACUUM and nothing else, as far as its text's first word tells.</summary>
    public static bool IsVacuum(SqlRequest request) => request.Statements.Count == 1 && SqlText.IsVacuum<char>(request.Statements[0].Sql);
}
