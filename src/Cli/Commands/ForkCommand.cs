using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql fork NAME NEW-NAME</c>, of now, of a bookmark or of a time.</summary>
internal sealed class ForkCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name or id of the database." };

    private readonly Argument<string> _newName = new("NEW-NAME") { Description = "Name of the new one." };

    private readonly Option<string> _bookmark = new("--bookmark") { Description = "The state that it begins with; or --at. Default: now.", HelpName = "BOOKMARK" };

    private readonly Option<DateTimeOffset?> _at = Moment.Option("The moment of which the state is wanted, e.g. 2026-11-21T09:30:00Z; without a zone it is UTC.");

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("fork", "Makes a new database that begins as another was. It copies nothing that it can refer to in cold storage.") { _database, _newName, _bookmark, _at };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var database = parsed.GetValue(_database)!;
        Bookmark? bookmark = null;
        if (parsed.GetValue(_at) is { } at)
        {
            bookmark = await client.Admin.GetBookmarkAsync(database, at, cancellationToken);
        }
        else if (parsed.GetValue(_bookmark) is { } text)
        {
            bookmark = Bookmark.TryParse(text, out var given) ? given : throw new ArgumentException($"'{text}' is not a bookmark: 42 characters, 8, 16 and 16 hexadecimal digits joined by '-', were wanted.");
        }

        var fork = await client.Admin.ForkAsync(database, parsed.GetValue(_newName)!, bookmark, cancellationToken);
        await terminal.Output.WriteLineAsync($"{fork.Name} ({fork.Id}): primary in {fork.PrimaryRegion}, {ReplicaChoice.Describe(fork)}");
        return ExitCode.Ok;
    }
}
