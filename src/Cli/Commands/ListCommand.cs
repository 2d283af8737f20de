using System.CommandLine;
using System.Globalization;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql list</c>: the databases, in any of the output modes.</summary>
internal sealed class ListCommand(GlobalOptions global, Terminal terminal)
{
    private readonly Argument<string?> _prefix = new("PREFIX") { Description = "Only names that start so.", Arity = ArgumentArity.ZeroOrOne };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("list", "Lists the databases.") { _prefix };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var table = new TextTable("name", "id", "primary", "replicas", "size_bytes", "bookmark");
        await foreach (var database in client.Admin.ListDatabasesAsync(parsed.GetValue(_prefix), cancellationToken))
        {
            var replicas = database.Replication == ReplicationMode.Disabled ? "none"
                : database.ReplicaRegions.Count == 0 ? "all" : string.Join(",", database.ReplicaRegions);
            table.Add(
                database.Name, database.Id, database.PrimaryRegion, replicas, database.SizeBytes.ToString(CultureInfo.InvariantCulture), database.Bookmark);
        }

        table.Write(ResultWriter.Create(global.ModeOf(parsed), headers: true, terminal.Output, terminal.Width()));
        return ExitCode.Ok;
    }
}
