using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary>The command line as a whole: parses, connects, runs, turns failures into exit codes.</summary>
internal sealed class RsqlCommand
{
    private const string Description =
        """
        SQL shell and operator's tool for ReplicatedSqlite.

          rsql shop "SELECT * FROM orders"     run SQL (each argument is one transaction)
          rsql shop ".read dump.sql"           load a file; a sqlite3 .dump becomes one transaction
          sqlite3 old.db .dump | rsql shop     the same from a pipe
          rsql create|list|update|move|delete|topology|bookmark|restore   manage databases (a database of such a name: rsql -- list "SQL")
          rsql export shop shop.sqlite         a database as a file, or as SQL (shop.sql); rsql import brings either back
          rsql token create|list|revoke        manage access tokens
          rsql queries, rsql kill ID           see what runs, and end it

        Long files are sent in chunks, each a transaction; BEGIN … COMMIT in a file stays together.
        Exit codes: 0 done, 1 SQL error, 2 wrong usage, 3 unavailable (nothing was done), 4 outcome of a write unknown, 130 interrupted.
        """;

    private readonly GlobalOptions _global = new();
    private readonly Terminal _terminal;
    private readonly Func<string, string?> _environment;
    private readonly RootCommand _root = new(Description);

    /// <param name="terminal">The process's streams.</param>
    /// <param name="environment">Its variables.</param>
    /// <param name="interrupts">What Ctrl-C ends; unset: it is not listened to.</param>
    public RsqlCommand(Terminal terminal, Func<string, string?> environment, Interrupts? interrupts = null)
    {
        _terminal = terminal;
        _environment = environment;
        var query = new QueryCommand(_global, terminal, environment, interrupts ?? new Interrupts(listens: false));
        query.AddTo(_root);
        _root.Options.Add(_global.Server);
        _root.Options.Add(_global.Mode);
        _root.Options.Add(_global.Token);
        _root.Options.Add(_global.Authority);
        _root.Options.Add(_global.AllowPlaintextToken);
        _root.Options.Add(_global.Json);
        _root.Subcommands.Add(new CreateCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new ListCommand(_global, terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new UpdateCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new MoveCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new DeleteCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new BookmarkCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new RestoreCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new ExportCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new ImportCommand(terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new TopologyCommand(_global, terminal).Build(ConnectedAsync));
        _root.Subcommands.Add(new TokenCommand(_global, terminal, TimeProvider.System).Build(ConnectedAsync));
        var queries = new QueriesCommand(_global, terminal);
        _root.Subcommands.Add(queries.Build(ConnectedAsync));
        _root.Subcommands.Add(queries.BuildKill(ConnectedAsync));
        _root.SetAction((parsed, cancellationToken) => ConnectedAsync(parsed, (client, token) => query.RunAsync(client, parsed, token), cancellationToken));
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(string[] args, CancellationToken cancellationToken = default)
    {
        // SQL may begin with '@', which would name a file of arguments.
        var parsed = _root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors) await _terminal.Error.WriteLineAsync("error: " + error.Message);
            await _terminal.Error.WriteLineAsync("rsql --help shows the usage.");
            return ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { Output = _terminal.Output, Error = _terminal.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, cancellationToken);
        }
        finally
        {
            await _terminal.Output.FlushAsync(CancellationToken.None);
        }
    }

    private async Task<int> ConnectedAsync(
        ParseResult parsed, Func<ReplicatedSqliteClient, CancellationToken, Task<int>> work, CancellationToken cancellationToken)
    {
        ReplicatedSqliteClient client;
        try
        {
            client = _global.Connect(parsed, _environment);
        }
        catch (ArgumentException e)
        {
            await _terminal.Error.WriteLineAsync("error: " + e.Message);
            return ExitCode.Usage;
        }

        await using (client)
        {
            try
            {
                return await work(client, cancellationToken);
            }
            catch (ReplicatedSqliteException e)
            {
                ErrorReport.Write(_terminal.Error, e);
                return ExitCode.Of(e);
            }
            catch (ArgumentException e)
            {
                await _terminal.Error.WriteLineAsync("error: " + e.Message);
                return ExitCode.Usage;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await _terminal.Error.WriteLineAsync("interrupted; a write that was on its way may still be committed");
                return ExitCode.Cancelled;
            }
        }
    }
}
