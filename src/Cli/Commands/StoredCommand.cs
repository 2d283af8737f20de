using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql stored</c>: what cold storage has, of databases that were deleted or lost too.</summary>
internal sealed class StoredCommand(Terminal terminal)
{
    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("stored", "Lists the databases of which cold storage has something: those in use, deleted ones, and lost ones.");
        command.SetAction((parsed, cancellationToken) => connected(parsed, RunAsync, cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, CancellationToken cancellationToken)
    {
        foreach (var stored in (await client.Admin.ListStoredDatabasesAsync(cancellationToken)).OrderBy(static stored => stored.Name, StringComparer.Ordinal))
        {
            var state = stored.DeletedAt is not null ? $"deleted {stored.DeletedAt.ToDateTimeOffset():u}, kept until {stored.KeptUntil.ToDateTimeOffset():u}" : stored.Known ? "in use" : "lost: rsql recover brings it back";
            await terminal.Output.WriteLineAsync($"{stored.Id}  {stored.Name,-20}  {state}");
        }

        return ExitCode.Ok;
    }
}
