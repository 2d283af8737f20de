using System.CommandLine;
using System.Globalization;

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
        var topology = await client.Admin.GetTopologyAsync(database, cancellationToken);
        TextTable table;
        if (database is null)
        {
            table = new TextTable("node", "region", "grpc", "http", "alive");
            foreach (var node in topology.Nodes) table.Add(node.Id, node.Region, node.GrpcAddress, node.HttpAddress, node.Alive ? "yes" : "no");
        }
        else
        {
            table = new TextTable("node", "region", "role", "bookmark", "confirm_lag_ms");
            foreach (var copy in topology.Copies)
            {
                var lag = copy.ConfirmLagMs.ToString("0.###", CultureInfo.InvariantCulture);
                table.Add(copy.NodeId, copy.Region, copy.Role.ToString().ToLowerInvariant(), copy.Bookmark, lag);
            }
        }

        table.Write(ResultWriter.Create(parsed.GetValue(global.Mode), headers: true, terminal.Output));
        return ExitCode.Ok;
    }
}
