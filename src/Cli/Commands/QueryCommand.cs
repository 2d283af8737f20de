using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql DATABASE [SQL…]</c>: runs SQL from the command line, a pipe or a person.</summary>
internal sealed class QueryCommand(GlobalOptions global, Terminal terminal, Func<string, string?> environment, Interrupts interrupts)
{
    private static readonly System.Buffers.SearchValues<char> _optionLetters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-=");

    private readonly Argument<string> _database = new("DATABASE") { Description = "Name or id of the database." };

    private readonly Argument<string[]> _sql = new("SQL")
    {
        Description = "SQL, or a dot command such as \".read FILE\". Each argument is one transaction. Without any: standard input.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string> _session = new("--session")
    {
        Description = "Where the session starts: a bookmark, first-primary (default) or first-unconstrained (the nearest copy).",
        HelpName = "START",
    };

    private readonly Option<AsOf?> _asOf = new("--as-of")
    {
        Description = "Read exactly the state of a bookmark or a time, e.g. 2026-11-21T09:30:00Z, from cold storage; without a zone it is UTC.",
        HelpName = "BOOKMARK|TIME",
        CustomParser = static result =>
        {
            if (AsOf.TryParse(result.Tokens[0].Value) is { } given) return given;
            result.AddError($"--as-of is '{result.Tokens[0].Value}'; a bookmark, or a moment like 2026-11-21T09:30:00Z, is wanted.");
            return null;
        },
    };

    private readonly Option<bool> _bookmark = new("--bookmark") { Description = "At the end, write what the session has seen to standard error." };

    private readonly Option<bool> _noHeaders = new("--no-headers") { Description = "Leave out the names of columns (table, csv)." };

    private readonly Option<double?> _timeout = new("--timeout") { Description = "Longest run of one transaction's SQL, in seconds.", HelpName = "SECONDS" };

    public void AddTo(Command command)
    {
        // To SQL a mistyped option is a comment: it would be sent, and do nothing.
        _sql.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens)
            {
                var text = token.Value;
                if (text.Length > 2 && text.StartsWith("--", StringComparison.Ordinal) && text.AsSpan(2).IndexOfAnyExcept(_optionLetters) < 0)
                    result.AddError($"'{text}' is no option of rsql, and as SQL it is only a comment.");
            }
        });
        command.Arguments.Add(_database);
        command.Arguments.Add(_sql);
        command.Options.Add(_session);
        command.Options.Add(_asOf);
        command.Options.Add(_bookmark);
        command.Options.Add(_noHeaders);
        command.Options.Add(_timeout);
    }

    public async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var settings = new ShellSettings
        {
            AsOf = parsed.GetValue(_asOf) is { } asOf ? await asOf.FindAsync(client, parsed.GetValue(_database)!, cancellationToken) : null,
            Mode = global.ModeOf(parsed),
            Headers = !parsed.GetValue(_noHeaders),
            SqlTimeout = parsed.GetValue(_timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        };
        SqlShell shell;
        try
        {
            shell = new SqlShell(client.Database(parsed.GetValue(_database)!), parsed.GetValue(_session) ?? Session.FirstPrimary, settings, terminal) { Client = client };
        }
        catch (MalformedBookmarkException e)
        {
            ErrorReport.Write(terminal.Error, e);
            return ExitCode.Usage;
        }

        var code = await RunAsync(shell, parsed.GetValue(_sql) ?? [], cancellationToken);
        if (parsed.GetValue(_bookmark) && shell.Session.Bookmark is { } bookmark) await terminal.Error.WriteLineAsync(bookmark.ToString());
        return code;
    }

    private Task<int> InteractAsync(SqlShell shell, CancellationToken cancellationToken)
    {
        ILineReader lines = terminal.CanEdit
            ? new LineEditor(terminal.Output, new History(History.PathOf(environment)), shell.Names)
            : new PlainLineReader(terminal.Input, terminal.Output);
        return shell.InteractAsync(lines, interrupts, cancellationToken);
    }

    private async Task<int> RunAsync(SqlShell shell, string[] sql, CancellationToken cancellationToken)
    {
        if (sql.Length == 0)
        {
            return terminal.IsInteractive
                ? await InteractAsync(shell, cancellationToken)
                : await shell.RunAsync(new SourceText("stdin", await terminal.Input.ReadToEndAsync(cancellationToken)), cancellationToken);
        }

        foreach (var text in sql)
        {
            var code = await shell.RunAsync(new SourceText("", text), cancellationToken);
            if (code != ExitCode.Ok || shell.HasQuit) return code;
        }

        return ExitCode.Ok;
    }
}
