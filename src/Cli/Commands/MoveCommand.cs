using System.CommandLine;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql move NAME REGION</c>: lets another region's node lead a database.</summary>
internal sealed class MoveCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name or id of the database." };

    private readonly Argument<string> _region = new("REGION") { Description = "Where its primary is to be." };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("move", "Moves a database's primary to another region, without losing a write.") { _database, _region };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var request = new MovePrimaryRequest { Database = parsed.GetValue(_database), Region = parsed.GetValue(_region) };
        var database = await client.Admin.MovePrimaryAsync(request, cancellationToken);
        await terminal.Output.WriteLineAsync($"{database.Name} ({database.Id}): primary in {database.PrimaryRegion}, epoch {database.Epoch}");
        return ExitCode.Ok;
    }
}
