namespace ReplicatedSqlite.Cli;

/// <summary>SQL with the name of where it came from, for errors that say where.</summary>
/// <param name="Name">A file's name; empty for SQL from the command line or typed.</param>
/// <param name="Text">The SQL.</param>
internal sealed record SourceText(string Name, string Text)
{
    /// <summary>The line of a place, from 1.</summary>
    public int LineAt(int position) => 1 + Text.AsSpan(0, position).Count('\n');

    /// <summary>The column of a place, from 1.</summary>
    public int ColumnAt(int position) => position - LineStart(position) + 1;

    /// <summary>The line that a place is in, without its end.</summary>
    public string LineTextAt(int position)
    {
        var end = Text.IndexOf('\n', position);
        return Text[LineStart(position)..(end < 0 ? Text.Length : end)].TrimEnd('\r');
    }

    private int LineStart(int position) => position == 0 ? 0 : Text.LastIndexOf('\n', position - 1) + 1;
}
