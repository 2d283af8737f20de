using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql delete NAME</c>. Asks a person; does what a script says.</summary>
internal sealed class DeleteCommand(Terminal terminal)
{
    private readonly Argument<string> _name = new("NAME") { Description = "Name or id of the database." };

    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask." };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("delete", "Deletes a database.") { _name, _yes };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var name = parsed.GetValue(_name)!;
        if (terminal.IsInteractive && !parsed.GetValue(_yes))
        {
            await terminal.Error.WriteAsync($"Delete the database {name} with everything in it? Type its name: ");
            await terminal.Error.FlushAsync(cancellationToken);
            if (await terminal.Input.ReadLineAsync(cancellationToken) != name)
            {
                await terminal.Error.WriteLineAsync("Nothing was deleted.");
                return ExitCode.Usage;
            }
        }

        await client.Admin.DeleteDatabaseAsync(name, cancellationToken);
        await terminal.Output.WriteLineAsync($"{name}: deleted");
        return ExitCode.Ok;
    }
}
