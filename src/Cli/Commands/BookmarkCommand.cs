using System.CommandLine;
using System.Globalization;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql bookmark NAME [--at TIME]</c>: the bookmark that is current, or was at a time.</summary>
internal sealed class BookmarkCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name or id of the database." };

    private readonly Option<DateTimeOffset?> _at = Moment.Option("The moment of which the bookmark is wanted, e.g. 2026-11-21T09:30:00Z; without a zone it is UTC.");

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("bookmark", "Prints a database's current bookmark, or that of a time.") { _database, _at };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var bookmark = await client.Admin.GetBookmarkAsync(parsed.GetValue(_database)!, parsed.GetValue(_at), cancellationToken);
        await terminal.Output.WriteLineAsync(bookmark.ToString());
        return ExitCode.Ok;
    }
}

/// <summary>A moment on the command line.</summary>
internal static class Moment
{
    public static Option<DateTimeOffset?> Option(string description) => new("--at")
    {
        Description = description,
        CustomParser = static result =>
        {
            if (DateTimeOffset.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
            {
                return moment;
            }

            result.AddError($"--at is '{result.Tokens[0].Value}'; a moment like 2026-11-21T09:30:00Z is wanted.");
            return null;
        },
    };
}
