using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql topology [DATABASE]</c>: the nodes, or the copies of a database with their lag.</summary>
internal sealed class TopologyCommand(GlobalOptions global, Terminal terminal)
{
    private readonly Argument<string?> _database = new("DATABASE") { Description = "Name or id of the database.", Arity = ArgumentArity.ZeroOrOne };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("topology", "Shows the nodes, or the copies of a database.") { _database };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var database = parsed.GetValue(_database);
        var writer = ResultWriter.Create(global.ModeOf(parsed), headers: true, terminal.Output, terminal.Width());
        if (database is not null) return await ClusterViews.ShowCopiesAsync(client, database, writer, cancellationToken);
        var topology = await client.Admin.GetTopologyAsync(database, cancellationToken);
        var table = new TextTable("node", "region", "grpc", "http", "alive");
        foreach (var node in topology.Nodes) table.Add(node.Id, node.Region, node.GrpcAddress, node.HttpAddress, node.Alive ? "yes" : "no");
        table.Write(writer);
        return ExitCode.Ok;
    }
}
