using System.CommandLine;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql export NAME FILE</c>: a database as an image or as SQL.</summary>
internal sealed class ExportCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name or id of the database." };

    private readonly Argument<string> _file = new("FILE") { Description = "The file to make. One that ends in .sql is SQL, any other an SQLite database." };

    private readonly Option<string?> _format = TransferFormat.Option();

    private readonly Option<string?> _bookmark = new("--bookmark") { Description = "The state at a bookmark, out of cold storage. Default: now.", HelpName = "BOOKMARK" };

    private readonly Option<string[]> _table = new("--table") { Description = "Of SQL: only this table; may be given several times.", HelpName = "TABLE" };

    private readonly Option<bool> _noSchema = new("--no-schema") { Description = "Of SQL: rows only." };

    private readonly Option<bool> _noData = new("--no-data") { Description = "Of SQL: the schema only." };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("export", "Writes a database to a file, without stopping its writers.") { _database, _file, _format, _bookmark, _table, _noSchema, _noData };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var path = parsed.GetValue(_file)!;
        var request = new ExportRequest
        {
            Database = parsed.GetValue(_database)!,
            Bookmark = parsed.GetValue(_bookmark) ?? "",
            Format = TransferFormat.Parse(parsed.GetValue(_format)) ?? (path.EndsWith(".sql", StringComparison.OrdinalIgnoreCase) ? ExportFormat.Sql : ExportFormat.Sqlite),
            Sql = new SqlDumpOptions { NoSchema = parsed.GetValue(_noSchema), NoData = parsed.GetValue(_noData) },
        };
        request.Sql.Tables.AddRange(parsed.GetValue(_table) ?? []);
        if (request.Format == ExportFormat.Sqlite && request.Sql.CalculateSize() > 0)
        {
            await terminal.Error.WriteLineAsync("error: an image holds everything; --table, --no-schema and --no-data are for SQL (--format sql).");
            return ExitCode.Usage;
        }

        var partial = path + ".part"; // so that nobody takes half a file for a whole one
        try
        {
            Bookmark bookmark;
            long bytes;
            await using (var file = new FileStream(partial, FileMode.Create, FileAccess.Write))
            {
                bookmark = terminal.ShowsProgress
                    ? await LoadProgress.ShowAsync(Path.GetFileName(path), terminal.Error, share => client.Admin.ExportAsync(request, file, Progress(share), cancellationToken))
                    : await client.Admin.ExportAsync(request, file, null, cancellationToken);
                file.Flush(flushToDisk: true);
                bytes = file.Length;
            }

            File.Move(partial, path, overwrite: true);
            await terminal.Output.WriteLineAsync($"{path}: {bytes} bytes of {request.Database} at {bookmark}");
            return ExitCode.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await terminal.Error.WriteLineAsync($"error: '{path}' cannot be written: {e.Message}");
            return ExitCode.Usage;
        }
        finally
        {
            if (File.Exists(partial)) File.Delete(partial); // of a folder that is not there, Delete complains
        }
    }

    private static SynchronousProgress<(long Done, long Total)> Progress(Action<double> share) => new(part => share(part.Total == 0 ? 1 : (double)part.Done / part.Total));
}
