namespace ReplicatedSqlite.Cli;

/// <summary>The first tokens of a statement, as far as they say what it is.</summary>
internal static class LeadingWords
{
    /// <summary>Up to <paramref name="count"/> tokens in upper case; space, comments and the semicolon left out.</summary>
    public static string[] Of(ReadOnlySpan<char> statement, int count)
    {
        var words = new List<string>(count);
        var tokens = new SqlTokenizer(statement, 0);
        while (words.Count < count && tokens.Next())
        {
            if (tokens.Kind is SqlToken.Word or SqlToken.Other) words.Add(tokens.Text.ToString().ToUpperInvariant());
        }

        return [.. words];
    }
}
