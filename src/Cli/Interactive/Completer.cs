namespace ReplicatedSqlite.Cli;

/// <summary>Tables and columns of the database that is open.</summary>
/// <param name="Columns">By table, in the order of the table.</param>
internal sealed record SchemaNames(IReadOnlyDictionary<string, IReadOnlyList<string>> Columns)
{
    public static SchemaNames None { get; } = new(new Dictionary<string, IReadOnlyList<string>>());
}

/// <summary>What a word that somebody has begun may become: keywords, tables and columns, dot commands.</summary>
internal static class Completer
{
    private static readonly string[] _keywords =
    [
        .. ("ABORT ADD AFTER ALL ALTER ANALYZE AND AS ASC AUTOINCREMENT BEFORE BEGIN BETWEEN BY CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT_DATE "
            + "CURRENT_TIME CURRENT_TIMESTAMP DEFAULT DEFERRABLE DELETE DESC DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXISTS EXPLAIN FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED "
            + "GLOB GROUP HAVING IF IGNORE IN INDEX INNER INSERT INSTEAD INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NOT NOTHING NOTNULL NULL NULLS OFFSET "
            + "ON OR ORDER OUTER OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RANGE RECURSIVE REFERENCES REINDEX RELEASE RENAME REPLACE RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS "
            + "SAVEPOINT SELECT SET TABLE TEMPORARY THEN TO TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW WITH WITHOUT").Split(' '),
    ];

    // Behind these a table is wanted.
    private static readonly HashSet<string> _beforeTables = new(StringComparer.OrdinalIgnoreCase) { "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "VIEW", "REFERENCES" };

    /// <param name="text">The line.</param>
    /// <param name="cursor">Where in it.</param>
    /// <param name="names">Of the database.</param>
    /// <returns>Where the word begins, and what it may become; in order.</returns>
    public static (int Start, IReadOnlyList<string> Words) Complete(string text, int cursor, SchemaNames names)
    {
        var before = text[..cursor];
        if (before.StartsWith('.')) return CompleteCommand(before, names);
        var start = cursor;
        while (start > 0 && (char.IsLetterOrDigit(before[start - 1]) || before[start - 1] is '_' or '$')) start--;
        var word = before[start..];
        if (start > 0 && before[start - 1] == '.') return (start, Match(word, ColumnsOf(WordBefore(before, start - 1), names)));
        if (_beforeTables.Contains(WordBefore(before, start))) return (start, Match(word, names.Columns.Keys));
        if (word.Length == 0) return (start, []); // everything there is would help nobody

        // Columns of the tables that the line names; of all where it names none.
        var named = names.Columns.Keys.Where(table => text.Contains(table, StringComparison.OrdinalIgnoreCase)).ToList();
        var columns = (named.Count > 0 ? named : names.Columns.Keys).SelectMany(table => names.Columns[table]);
        var keywords = _keywords.Select(keyword => char.IsLower(word[^1]) ? keyword.ToLowerInvariant() : keyword);
        return (start, Match(word, columns.Concat(names.Columns.Keys).Concat(keywords)));
    }

    /// <summary>What all candidates begin with.</summary>
    public static string CommonBeginning(IReadOnlyList<string> words)
    {
        var common = words[0];
        foreach (var word in words)
        {
            var length = 0;
            while (length < common.Length && length < word.Length && char.ToUpperInvariant(common[length]) == char.ToUpperInvariant(word[length])) length++;
            common = common[..length];
        }

        return common;
    }

    private static (int Start, IReadOnlyList<string> Words) CompleteCommand(string before, SchemaNames names)
    {
        var space = before.LastIndexOf(' ');
        if (space < 0) return (0, Match(before, DotCommand.Names));
        var word = before[(space + 1)..];
        return before.Split(' ')[0] switch
        {
            ".schema" or ".indexes" or ".dump" => (space + 1, Match(word, names.Columns.Keys)),
            ".read" or ".import" => (space + 1, Files(word)),
            ".mode" => (space + 1, Match(word, Enum.GetNames<OutputMode>().Select(name => name.ToLowerInvariant()))),
            ".session" => (space + 1, Match(word, [Session.FirstPrimary, Session.FirstUnconstrained])),
            ".headers" or ".timer" => (space + 1, Match(word, ["on", "off"])),
            _ => (space + 1, []),
        };
    }

    private static IReadOnlyList<string> Files(string word)
    {
        try
        {
            var folder = Path.GetDirectoryName(word) is { Length: > 0 } given ? given : ".";
            var begin = word.EndsWith(Path.DirectorySeparatorChar) ? "" : Path.GetFileName(word);
            return
            [
                .. new DirectoryInfo(folder).EnumerateFileSystemInfos(begin + "*").Take(200)
                    .Select(file => (folder == "." ? "" : folder.TrimEnd('/') + "/") + file.Name + (file is DirectoryInfo ? "/" : "")).Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return [];
        }
    }

    private static IEnumerable<string> ColumnsOf(string table, SchemaNames names) =>
        names.Columns.FirstOrDefault(pair => pair.Key.Equals(table, StringComparison.OrdinalIgnoreCase)).Value
            ?? names.Columns.Values.SelectMany(static columns => columns); // an alias, most likely

    private static string WordBefore(string text, int end)
    {
        while (end > 0 && char.IsWhiteSpace(text[end - 1])) end--;
        var start = end;
        while (start > 0 && (char.IsLetterOrDigit(text[start - 1]) || text[start - 1] is '_' or '$')) start--;
        return text[start..end];
    }

    private static IReadOnlyList<string> Match(string word, IEnumerable<string> candidates) =>
        [.. candidates.Where(candidate => candidate.StartsWith(word, StringComparison.OrdinalIgnoreCase)).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase)];
}
