using System.CommandLine;
using System.Globalization;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql import NAME FILE</c>: a database out of an image or of SQL.</summary>
internal sealed class ImportCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name of the database. One that does not exist is created." };

    private readonly Argument<string> _file = new("FILE") { Description = "An SQLite database that nobody writes, or SQL such as sqlite3's .dump." };

    private readonly Option<string?> _format = TransferFormat.Option();

    private readonly Option<bool> _replace = new("--replace") { Description = "Put it in the place of what the database holds." };

    private readonly Option<bool> _append = new("--append") { Description = "Run the SQL in the database as one transaction." };

    private readonly Option<string?> _region = new("--region") { Description = "Of a new database: region of the primary.", HelpName = "REGION" };

    private readonly Option<string?> _profile = new("--profile") { Description = "Of a new database: default or d1.", HelpName = "PROFILE" };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("import", "Creates or replaces a database by a file, as a whole or not at all.") { _database, _file, _format, _replace, _append, _region, _profile };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var (name, path) = (parsed.GetValue(_database)!, parsed.GetValue(_file)!);
        FileStream file;
        try
        {
            file = File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await terminal.Error.WriteLineAsync($"error: '{path}' cannot be read: {e.Message}");
            return ExitCode.Usage;
        }

        await using (file)
        {
            var header = new ImportHeader
            {
                Database = name,
                Format = TransferFormat.Parse(parsed.GetValue(_format)) ?? await TransferFormat.OfAsync(file, cancellationToken),
                Replace = parsed.GetValue(_replace),
                Append = parsed.GetValue(_append),
                Create = new CreateDatabaseRequest { PrimaryRegion = parsed.GetValue(_region) ?? "", Options = new DatabaseOptions { Profile = parsed.GetValue(_profile) ?? "" } },
            };
            var imported = terminal.ShowsProgress
                ? await LoadProgress.ShowAsync(
                    Path.GetFileName(path), terminal.Error, share => client.Admin.ImportAsync(header, file, new SynchronousProgress<long>(sent => share((double)sent / file.Length)), cancellationToken))
                : await client.Admin.ImportAsync(header, file, null, cancellationToken);
            var did = imported.Import ?? new ImportResult();
            var statements = header.Format == ExportFormat.Sql ? string.Create(CultureInfo.InvariantCulture, $"{did.Statements} statements, ") : "";
            await terminal.Output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{imported.Name} ({imported.Id}): {statements}{imported.SizeBytes} bytes, {did.DurationMs / 1000:F1} s, at {imported.Bookmark}"));
            return ExitCode.Ok;
        }
    }
}
