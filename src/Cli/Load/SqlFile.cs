namespace ReplicatedSqlite.Cli;

/// <summary>Loads a file of SQL as <c>.read</c> does: in chunks, a <c>sqlite3 .dump</c> as one transaction.</summary>
public static class SqlFile
{
    /// <summary>Runs everything in a text. Errors, with their place in the text, and progress on a terminal go to <paramref name="error"/>.</summary>
    /// <param name="database">Where to.</param>
    /// <param name="name">The file's name, for errors.</param>
    /// <param name="text">Its text.</param>
    /// <param name="error">What goes wrong is written here.</param>
    /// <param name="cancellationToken">Ends the call; what was sent stays.</param>
    /// <returns>A session that has seen all of it; null after an error.</returns>
    public static async Task<Session?> LoadAsync(
        ReplicatedDatabase database, string name, string text, TextWriter error, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        var terminal = new Terminal(TextReader.Null, TextWriter.Null, error, IsInteractive: false, ShowsProgress: !Console.IsErrorRedirected);
        var shell = new SqlShell(database, Session.FirstPrimary, new ShellSettings(), terminal);
        return await shell.RunAsync(new SourceText(name, text), cancellationToken) == ExitCode.Ok ? shell.Session : null;
    }

    /// <summary>Reads a file and runs it.</summary>
    /// <inheritdoc cref="LoadAsync"/>
    public static async Task<Session?> LoadFileAsync(
        ReplicatedDatabase database, string path, TextWriter error, CancellationToken cancellationToken = default) =>
        await SourceFile.ReadAsync(path, error, cancellationToken) is { } source
            ? await LoadAsync(database, source.Name, source.Text, error, cancellationToken)
            : null;
}
