using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql undelete ID</c>: within the time of grace.</summary>
internal sealed class UndeleteCommand(Terminal terminal)
{
    private readonly Argument<string> _id = new("ID") { Description = "Id of the deleted database; rsql stored lists them." };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("undelete", "Brings a deleted database back within its time of grace, under its name and with a new id.") { _id };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var database = await client.Admin.UndeleteDatabaseAsync(parsed.GetValue(_id)!, cancellationToken);
        await terminal.Output.WriteLineAsync($"{database.Name} ({database.Id}): primary in {database.PrimaryRegion}, {ReplicaChoice.Describe(database)}");
        return ExitCode.Ok;
    }
}
