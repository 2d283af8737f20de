namespace ReplicatedSqlite.Cli;

/// <summary>Writes an error: what, where, and what became of the data.</summary>
internal static class ErrorReport
{
    private const int ShownCharacters = 100; // of a long line, around the place

    public static void Write(TextWriter error, ReplicatedSqliteException e, SourceText? source = null, Script? script = null)
    {
        error.WriteLine($"error: {e.Message} [{e.Code}]");
        if (source is not null && script?.FindInSource(e.StatementIndex, e.SqlOffset) is { } position) WritePlace(error, source, position, exact: e.SqlOffset >= 0);
        if (e.RetryAfter is { } pause) error.WriteLine(FormattableString.Invariant($"The server asks to wait {pause.TotalSeconds:0.#} s before trying again."));
    }

    public static void Write(TextWriter error, LoadException e, SourceText source)
    {
        error.WriteLine($"error: {e.Message}");
        WritePlace(error, source, e.Position, exact: false);
    }

    private static void WritePlace(TextWriter error, SourceText source, int position, bool exact)
    {
        var line = source.LineTextAt(position);
        var column = source.ColumnAt(position) - 1;
        if (source.Name.Length > 0 || source.Text.AsSpan().TrimEnd().Contains('\n'))
        {
            var name = source.Name.Length > 0 ? source.Name + ":" : "line ";
            error.WriteLine(exact ? $"  {name}{source.LineAt(position)}:{column + 1}" : $"  {name}{source.LineAt(position)}");
        }

        var from = Math.Max(0, Math.Min(column - (ShownCharacters / 2), line.Length - ShownCharacters));
        var shown = CellText.ForTerminal(line.Substring(from, Math.Min(ShownCharacters, line.Length - from)).Replace('\t', ' '));
        error.WriteLine("  " + shown);
        if (exact) error.WriteLine(new string(' ', 2 + column - from) + "^");
    }
}
