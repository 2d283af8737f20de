using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>Recognises requests that write nothing by their text, for a node that passes them on unprepared. It errs on one side only: what it is not sure of may write.</summary>
public static class PlainReads
{
    /// <summary>Whether all statements are single SELECTs. SQLite has none that writes: there are no functions here that do.</summary>
    public static bool Are(IReadOnlyList<Statement> statements)
    {
        ArgumentNullException.ThrowIfNull(statements);
        return statements.Count > 0 && statements.All(static statement => Is(statement.Sql));
    }

    private static bool Is(string sql)
    {
        var text = sql.AsSpan().Trim().TrimEnd(';');
        return text.StartsWith("SELECT", StringComparison.OrdinalIgnoreCase)
            && text.Length > "SELECT".Length && !char.IsLetterOrDigit(text["SELECT".Length]) && text["SELECT".Length] is not ('_' or '$') && text["SELECT".Length] < 128
            && !text.Contains(';'); // another statement may follow, unless it is in a text: who knows
    }
}
