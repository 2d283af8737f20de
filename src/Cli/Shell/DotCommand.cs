namespace ReplicatedSqlite.Cli;

/// <summary>The commands that start with a dot.</summary>
internal static class DotCommand
{
    public const string Help =
        """
        .read FILE           run a file of SQL; a sqlite3 .dump is loaded as one transaction
        .mode MODE           table, json, csv or line
        .headers on|off      names of columns in table and csv
        .session START       a bookmark, first-primary or first-unconstrained
        .bookmark            what this session has seen so far
        .help                this list
        .quit                leave
        """;

    public static async Task<int> RunAsync(SqlShell shell, string line, CancellationToken cancellationToken)
    {
        var words = Split(line);
        var (output, error) = (shell.Terminal.Output, shell.Terminal.Error);
        switch (words)
        {
            case [".read", var path]:
                return await shell.ReadFileAsync(path, cancellationToken);
            case [".mode", var name] when Enum.TryParse<OutputMode>(name, ignoreCase: true, out var mode) && char.IsAsciiLetter(name[0]):
                shell.Settings.Mode = mode;
                return ExitCode.Ok;
            case [".mode", ..]:
                await error.WriteLineAsync("error: .mode takes one of table, json, csv, line.");
                return ExitCode.Usage;
            case [".headers" or ".header", "on" or "off"]:
                shell.Settings.Headers = words[1] == "on";
                return ExitCode.Ok;
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
