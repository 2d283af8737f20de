namespace ReplicatedSqlite.Cli;

/// <summary>Runs SQL and dot commands against one database, in one session. Stops at the first error, except when somebody types.</summary>
internal sealed class SqlShell(ReplicatedDatabase database, string sessionStart, ShellSettings settings, Terminal terminal)
{
    private const int MaxReadDepth = 16; // a file that reads itself ends somewhere

    private readonly ScriptRunner _runner = new(settings, terminal);
    private Session _session = database.WithSession(sessionStart);
    private int _readDepth;

    public ShellSettings Settings => settings;

    public Terminal Terminal => terminal;

    public Session Session => _session;

    /// <summary>Set by <c>.quit</c>.</summary>
    public bool HasQuit { get; set; }

    public void StartSession(string start) => _session = database.WithSession(start);

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

    /// <summary>Reads lines from a person until the end of input.</summary>
    public async Task<int> InteractAsync(CancellationToken cancellationToken)
    {
        await terminal.Output.WriteLineAsync($"{database.DatabaseName}: end statements with ';', .help shows the commands.");
        var pending = "";
        while (!HasQuit)
        {
            await terminal.Output.WriteAsync(pending.Length == 0 ? "rsql> " : "   -> ");
            await terminal.Output.FlushAsync(cancellationToken);
            if (await terminal.Input.ReadLineAsync(cancellationToken) is not { } line) break;
            pending = pending.Length == 0 ? line : pending + "\n" + line;
            if (!StatementSplitter.IsComplete(pending)) continue;
            await RunAsync(new SourceText("", pending), cancellationToken); // whoever types has seen the error
            pending = "";
        }

        return ExitCode.Ok;
    }

    private async Task<int> RunAsync(SourceText source, List<LoadStep> steps, Action<double>? progress, CancellationToken cancellationToken)
    {
        var several = steps.Count(step => step.Script is not null) > 1;
        foreach (var step in steps)
        {
            var code = step.Script is { } script
                ? await _runner.RunAsync(_session, source, script, several, cancellationToken)
                : await DotCommand.RunAsync(this, step.Command!, cancellationToken);
            if (code != ExitCode.Ok || HasQuit) return code;
            if (step.Script is not null) progress?.Invoke((double)step.Script.SourceEnd / source.Text.Length);
        }

        return ExitCode.Ok;
    }
}
