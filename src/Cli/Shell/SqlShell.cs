namespace ReplicatedSqlite.Cli;

/// <summary>Runs SQL and dot commands against one database, in one session. Stops at the first error, except when somebody types.</summary>
internal sealed class SqlShell(ReplicatedDatabase database, string sessionStart, ShellSettings settings, Terminal terminal)
{
    private const int MaxReadDepth = 16; // a file that reads itself ends somewhere

    private readonly ScriptRunner _runner = new(settings, terminal);
    private readonly SchemaReader _schema = new();
    private ReplicatedDatabase _database = database;
    private Session _session = database.WithSession(sessionStart);
    private int _readDepth;

    public ShellSettings Settings => settings;

    public Terminal Terminal => terminal;

    public Session Session => _session;

    /// <summary>The way to the cluster.</summary>
    public ReplicatedSqliteClient? Client { get; init; }

    /// <exception cref="ArgumentException">There is none, as where a program loads a file: commands that need it are not for such files.</exception>
    public ReplicatedSqliteClient Cluster => Client ?? throw new ArgumentException("Only rsql itself knows this command.");

    /// <summary>As it was opened.</summary>
    public string DatabaseName => _database.DatabaseName;

    /// <summary>What words may be completed with.</summary>
    public SchemaNames Names() => _schema.Get(_session);

    /// <summary>Set by <c>.quit</c>.</summary>
    public bool HasQuit { get; set; }

    public void StartSession(string start) => _session = _database.WithSession(start);

    /// <summary>Goes on with another database, in a session that begins like the first one.</summary>
    /// <exception cref="ReplicatedSqliteException">It cannot be used; the old one stays.</exception>
    public async Task OpenAsync(string name, CancellationToken cancellationToken)
    {
        var opened = Cluster.Database(name);
        var session = opened.WithSession(Session.FirstPrimary);
        await session.ExecuteAsync("SELECT 1", cancellationToken: cancellationToken);
        (_database, _session) = (opened, session);
        _schema.Forget();
    }

    /// <summary>Runs everything in a text.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(SourceText source, CancellationToken cancellationToken)
    {
        List<LoadStep> steps;
        try
        {
            steps = LoadPlan.Make(source);
        }
        catch (LoadException e)
        {
            ErrorReport.Write(terminal.Error, e, source);
            return ExitCode.SqlError;
        }

        var isLong = steps.Count(step => step.Script is not null) > 1 || source.Text.Length > LoadPlan.ChunkCharacters;
        return isLong && terminal.ShowsProgress && source.Name.Length > 0
            ? await LoadProgress.ShowAsync(source.Name, terminal.Error, progress => RunAsync(source, steps, progress, cancellationToken))
            : await RunAsync(source, steps, null, cancellationToken);
    }

    /// <summary>Reads a file and runs it.</summary>
    public async Task<int> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        if (_readDepth == MaxReadDepth)
        {
            await terminal.Error.WriteLineAsync($"error: {MaxReadDepth} files read each other; '{path}' is not read.");
            return ExitCode.Usage;
        }

        if (await SourceFile.ReadAsync(path, terminal.Error, cancellationToken) is not { } source) return ExitCode.Usage;
        _readDepth++;
        try
        {
            return await RunAsync(source, cancellationToken);
        }
        finally
        {
            _readDepth--;
        }
    }

    /// <summary>Reads lines from a person until the end of input. Ctrl-C ends the statement that runs.</summary>
    public async Task<int> InteractAsync(ILineReader lines, Interrupts interrupts, CancellationToken cancellationToken)
    {
        await terminal.Output.WriteLineAsync($"{DatabaseName}: end statements with ';', .help shows the commands.");
        var pending = "";
        while (!HasQuit && !cancellationToken.IsCancellationRequested)
        {
            await terminal.Output.FlushAsync(cancellationToken);
            if (lines.ReadLine(pending.Length == 0 ? "rsql> " : "   -> ") is not { } line) break;
            if (line == ILineReader.Discarded) pending = "";
            if (line == ILineReader.Discarded || (line.Length == 0 && pending.Length == 0)) continue;

            pending = pending.Length == 0 ? line : pending + "\n" + line;
            if (!StatementSplitter.IsComplete(pending)) continue;
            lines.Remember(pending);
            await RunAloneAsync(new SourceText("", pending), interrupts, cancellationToken);
            pending = "";
        }

        return ExitCode.Ok;
    }

    // Whoever types has seen the error, and goes on.
    private async Task RunAloneAsync(SourceText source, Interrupts interrupts, CancellationToken cancellationToken)
    {
        using var statement = interrupts.BeginStatement(cancellationToken);
        try
        {
            await RunAsync(source, statement.Token);
        }
        catch (ReplicatedSqliteException e)
        {
            ErrorReport.Write(terminal.Error, e); // of a dot command
        }
        catch (OperationCanceledException) when (statement.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            await terminal.Output.FlushAsync(CancellationToken.None);
            await terminal.Error.WriteLineAsync("interrupted; a write that was on its way may still be committed");
        }
        finally
        {
            interrupts.EndStatement();
        }
    }

    private async Task<int> RunAsync(SourceText source, List<LoadStep> steps, Action<double>? progress, CancellationToken cancellationToken)
    {
        var several = steps.Count(step => step.Script is not null) > 1;
        foreach (var step in steps)
        {
            if (step.Script is { } sent && LeadingWords.Of(sent.Sql, 1) is ["CREATE" or "ALTER" or "DROP"]) _schema.Forget();
            var code = step.Script is { } script
                ? await _runner.RunAsync(_session, source, script, several, cancellationToken)
                : await DotCommand.RunAsync(this, step.Command!, cancellationToken);
            if (code != ExitCode.Ok || HasQuit) return code;
            if (step.Script is not null) progress?.Invoke((double)step.Script.SourceEnd / source.Text.Length);
        }

        return ExitCode.Ok;
    }
}
