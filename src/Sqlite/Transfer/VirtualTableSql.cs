namespace ReplicatedSqlite.Sqlite;

/// <summary>What a CREATE VIRTUAL TABLE says of how the table's rows are dumped.</summary>
/// <param name="Module">In lower case.</param>
/// <param name="Content">FTS5's <c>content</c> option: <see langword="null"/> keeps the rows itself, empty keeps none, else they are another table's.</param>
internal readonly record struct VirtualTableSql(string Module, string? Content)
{
    /// <summary>Reads it from the table's SQL.</summary>
    public static VirtualTableSql Parse(string sql)
    {
        var (module, content, words) = ("", (string?)null, new List<string>());
        for (var position = 0; position < sql.Length;)
        {
            var (kind, length) = SqlTokens.Next(sql, position);
            var token = sql.Substring(position, length);
            position += length;
            if (kind == SqlTokenKind.Blank)
            {
                continue;
            }

            if (module.Length == 0)
            {
                var isModule = words.Count > 0 && words[^1].Equals("USING", StringComparison.OrdinalIgnoreCase) && kind is SqlTokenKind.Word or SqlTokenKind.Quoted;
                module = isModule ? Unquote(token).ToLowerInvariant() : "";
            }
            else if (words.Count > 2 && words[^1] == "=" && words[^2].Equals("content", StringComparison.OrdinalIgnoreCase) && words[^3] is "," or "(")
            {
                content = Unquote(token);
            }

            words.Add(token);
        }

        return new VirtualTableSql(module, content);
    }

    private static string Unquote(string token) => token is ['\'' or '"' or '`' or '[', .., _] && token.Length >= 2
        ? token[1..^1].Replace(new string(token[0], 2), token[..1], StringComparison.Ordinal)
        : token;
}
