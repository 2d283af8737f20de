using System.Globalization;

namespace ReplicatedSqlite.Cli;

/// <summary>The commands that start with a dot.</summary>
internal static class DotCommand
{
    public const string Help =
        """
        .tables [PATTERN]    tables and views; PATTERN as for LIKE
        .schema [TABLE]      the CREATE statements
        .indexes [TABLE]     names of indexes
        .read FILE           run a file of SQL; a sqlite3 .dump is loaded as one transaction
        .import FILE TABLE [--skip N]   load CSV; a table that does not exist is made from the first line's names
        .dump [TABLE …]      the database, or some tables, as SQL
        .open DATABASE       go on with another database
        .mode MODE           table, json, csv or line
        .headers on|off      names of columns in table and csv
        .session START       a bookmark, first-primary or first-unconstrained
        .bookmark            what this session has seen so far
        .timer on|off        how long each statement took
        .regions             the copies of this database: where, what they show, how far behind
        .queries [all]       the requests under way on this database, or on all
        .kill ID             end one of them
        .help                this list
        .quit                leave
        """;

    /// <summary>What a line may begin with.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Help.Split('\n').Select(line => line.Split(' ')[0].TrimEnd()).Where(name => name.StartsWith('.'))];

    public static async Task<int> RunAsync(SqlShell shell, string line, CancellationToken cancellationToken)
    {
        var words = Split(line);
        var (output, error) = (shell.Terminal.Output, shell.Terminal.Error);
        switch (words)
        {
            case [".read", var path]:
                return await shell.ReadFileAsync(path, cancellationToken);
            case [".import" or ".dump" or ".open" or ".session", ..] when shell.Settings.AsOf is { } past:
                await error.WriteLineAsync($"error: {words[0]} is not for a state that is over, and --as-of {past} was given. `rsql export --bookmark` writes such a state to a file, `rsql fork --bookmark` makes a database of it.");
                return ExitCode.Usage;
            case [".mode", var name] when Enum.TryParse<OutputMode>(name, ignoreCase: true, out var mode) && char.IsAsciiLetter(name[0]):
                shell.Settings.Mode = mode;
                return ExitCode.Ok;
            case [".mode", ..]:
                await error.WriteLineAsync("error: .mode takes one of table, json, csv, line.");
                return ExitCode.Usage;
            case [".headers" or ".header", "on" or "off"]:
                shell.Settings.Headers = words[1] == "on";
                return ExitCode.Ok;
            case [".timer", "on" or "off"]:
                shell.Settings.Timer = words[1] == "on";
                return ExitCode.Ok;
            case [".tables"] or [".tables", _]:
                await new SchemaViews(shell.Session, shell.Settings, shell.Terminal).TablesAsync(words.ElementAtOrDefault(1), cancellationToken);
                return ExitCode.Ok;
            case [".schema"] or [".schema", _]:
                await new SchemaViews(shell.Session, shell.Settings, shell.Terminal).SchemaAsync(words.ElementAtOrDefault(1), cancellationToken);
                return ExitCode.Ok;
            case [".indexes" or ".indices"] or [".indexes" or ".indices", _]:
                await new SchemaViews(shell.Session, shell.Settings, shell.Terminal).IndexesAsync(words.ElementAtOrDefault(1), cancellationToken);
                return ExitCode.Ok;
            case [".import", var file, var table]:
                return await ImportAsync(shell, file, table, 0, cancellationToken);
            case [".import", var file, var table, "--skip", var lines] when int.TryParse(lines, NumberStyles.None, CultureInfo.InvariantCulture, out var skip):
                return await ImportAsync(shell, file, table, skip, cancellationToken);
            case [".dump", .. var tables]:
                return await new DumpCommand(shell.Session, shell.Terminal).RunAsync(tables, cancellationToken);
            case [".open", var name]:
                await shell.OpenAsync(name, cancellationToken);
                return ExitCode.Ok;
            case [".regions"]:
                return await ClusterViews.ShowCopiesAsync(shell.Cluster, shell.DatabaseName, Writer(shell), cancellationToken);
            case [".queries"] or [".queries", "all"]:
                return await ClusterViews.ShowQueriesAsync(
                    shell.Cluster, words.Length == 1 ? shell.DatabaseName : null, thisNode: false, Writer(shell), shell.Terminal, cancellationToken);
            case [".kill", var id]:
                return await ClusterViews.KillAsync(shell.Cluster, id, shell.Terminal, cancellationToken);
            case [".session", var start]:
                return await StartSessionAsync(shell, start);
            case [".bookmark"]:
                await output.WriteLineAsync(shell.Session.Bookmark?.ToString() ?? "none yet: nothing was run in this session");
                return ExitCode.Ok;
            case [".help"]:
                await output.WriteLineAsync(Help);
                return ExitCode.Ok;
            case [".quit" or ".exit"]:
                shell.HasQuit = true;
                return ExitCode.Ok;
            default:
                await error.WriteLineAsync($"error: '{line.Trim()}' is no command, or has other arguments than it takes:\n{Help}");
                return ExitCode.Usage;
        }
    }

    private static Task<int> ImportAsync(SqlShell shell, string file, string table, int skip, CancellationToken cancellationToken) =>
        new CsvImport(shell.Session, shell.Terminal, new QueryOptions { SqlTimeout = shell.Settings.SqlTimeout }).RunAsync(file, table, skip, cancellationToken);

    private static ResultWriter Writer(SqlShell shell) => ResultWriter.Create(shell.Settings.Mode, shell.Settings.Headers, shell.Terminal.Output, shell.Terminal.Width());

    private static async Task<int> StartSessionAsync(SqlShell shell, string start)
    {
        try
        {
            shell.StartSession(start);
            return ExitCode.Ok;
        }
        catch (MalformedBookmarkException e)
        {
            ErrorReport.Write(shell.Terminal.Error, e);
            return ExitCode.Usage;
        }
    }

    // Words are separated by space; quotes keep a path with spaces together, and a trailing semicolon is a habit, not a part.
    private static string[] Split(string line)
    {
        var words = new List<string>();
        var rest = line.AsSpan().Trim().TrimEnd(';').TrimEnd();
        while (!rest.IsEmpty)
        {
            var quote = rest[0] is '"' or '\'' ? rest[0] : ' ';
            var body = quote == ' ' ? rest : rest[1..];
            var end = quote == ' ' ? body.IndexOfAny(' ', '\t') : body.IndexOf(quote);
            words.Add((end < 0 ? body : body[..end]).ToString());
            rest = end < 0 ? [] : body[(end + 1)..].TrimStart();
        }

        return [.. words];
    }
}
