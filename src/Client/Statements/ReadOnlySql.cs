namespace ReplicatedSqlite;

/// <summary>Recognizes SQL that surely writes nothing, so that a broken connection can be told from a write whose outcome is unknown.</summary>
/// <remarks>Only the server's prepared statements decide what is a write. Here a wrong "may write" makes an error more careful than it had to be; a wrong
/// "surely reads" would invite a repeated write, so only what starts as a read and can be nothing else counts.</remarks>
internal static class ReadOnlySql
{
    public static bool IsSurelyRead(ReadOnlySpan<char> sql)
    {
        sql = SkipSpaceAndComments(sql);
        return StartsWithWord(sql, "SELECT") || StartsWithWord(sql, "VALUES") || StartsWithWord(sql, "EXPLAIN");
    }

    private static bool StartsWithWord(ReadOnlySpan<char> sql, string word) =>
        sql.StartsWith(word, StringComparison.OrdinalIgnoreCase)
        && (sql.Length == word.Length || !(char.IsLetterOrDigit(sql[word.Length]) || sql[word.Length] is '_' or '$'));

    private static ReadOnlySpan<char> SkipSpaceAndComments(ReadOnlySpan<char> sql)
    {
        while (true)
        {
            sql = sql.TrimStart(" \t\r\n\f");
            int end;
            if (sql.StartsWith("--"))
            {
                end = sql.IndexOf('\n');
                sql = end < 0 ? [] : sql[(end + 1)..];
            }
            else if (sql.StartsWith("/*"))
            {
                end = sql[2..].IndexOf("*/");
                sql = end < 0 ? [] : sql[(end + 4)..];
            }
            else
            {
                return sql;
            }
        }
    }
}
