using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql restore NAME BOOKMARK</c> or <c>--at TIME</c>: brings a database back, in place.</summary>
internal sealed class RestoreCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name or id of the database." };

    private readonly Argument<string?> _bookmark = new("BOOKMARK") { Description = "Where to; or --at.", Arity = ArgumentArity.ZeroOrOne };

    private readonly Option<DateTimeOffset?> _at = Moment.Option("The moment to go back to, e.g. 2026-11-21T09:30:00Z; without a zone it is UTC.");

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("restore", "Brings a database back to a bookmark or a time, in place; restoring the bookmark that it prints undoes that.") { _database, _bookmark, _at };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var database = parsed.GetValue(_database)!;
        var (text, at) = (parsed.GetValue(_bookmark), parsed.GetValue(_at));
        if (text is null == at is null)
        {
            await terminal.Error.WriteLineAsync("error: either a bookmark or --at is wanted.");
            return ExitCode.Usage;
        }

        Bookmark bookmark;
        if (text is null)
        {
            bookmark = await client.Admin.GetBookmarkAsync(database, at, cancellationToken);
        }
        else if (!Bookmark.TryParse(text, out bookmark))
        {
            await terminal.Error.WriteLineAsync($"error: '{text}' is not a bookmark: 42 characters, 8, 16 and 16 hexadecimal digits joined by '-', were wanted.");
            return ExitCode.Usage;
        }

        var restored = await client.Admin.RestoreAsync(database, bookmark, cancellationToken);
        await terminal.Output.WriteLineAsync($"restored to {restored.RestoredTo}");
        await terminal.Output.WriteLineAsync($"bookmark    {restored.Bookmark}");
        await terminal.Output.WriteLineAsync($"to undo     rsql restore {database} {restored.PreviousBookmark}");
        return ExitCode.Ok;
    }
}
