using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql verify NAME</c>: proves that cold storage can give the database back.</summary>
internal sealed class VerifyCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name or id of the database." };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("verify", "Reads everything that cold storage has of a database and builds it: proves that it can be restored.") { _database };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var proof = await client.Admin.VerifyDatabaseAsync(parsed.GetValue(_database)!, cancellationToken);
        await terminal.Output.WriteLineAsync($"whole       {proof.Objects} objects, {proof.Bytes} bytes, {proof.Entries} entries, {proof.Snapshots} snapshots");
        await terminal.Output.WriteLineAsync($"from        {proof.FirstBookmark}");
        await terminal.Output.WriteLineAsync($"to          {proof.LastBookmark}");
        return ExitCode.Ok;
    }
}
