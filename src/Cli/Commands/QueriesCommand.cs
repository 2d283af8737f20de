using System.CommandLine;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql queries [DATABASE]</c> and <c>rsql kill ID</c>: the requests under way, and an end to one.</summary>
internal sealed class QueriesCommand(GlobalOptions global, Terminal terminal)
{
    private readonly Argument<string?> _database = new("DATABASE") { Description = "Name or id: only its requests.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string> _id = new("ID") { Description = "As rsql queries shows it." };
    private readonly Option<bool> _thisNode = new("--this-node") { Description = "Only those of the node that is asked." };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("queries", "Shows the requests under way at all nodes, the oldest first; SQL without its values.") { _database, _thisNode };
        command.SetAction((parsed, cancellationToken) => connected(
            parsed,
            (client, token) => ClusterViews.ShowQueriesAsync(client, parsed.GetValue(_database), parsed.GetValue(_thisNode), Writer(parsed), terminal, token),
            cancellationToken));
        return command;
    }

    public Command BuildKill(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("kill", "Ends a request, wherever it is carried out. Its caller is told QUERY_KILLED, and nothing of it is done.") { _id };
        command.SetAction((parsed, cancellationToken) => connected(
            parsed, (client, token) => ClusterViews.KillAsync(client, parsed.GetValue(_id)!, terminal, token), cancellationToken));
        return command;
    }

    private ResultWriter Writer(ParseResult parsed) => ResultWriter.Create(global.ModeOf(parsed), headers: true, terminal.Output, terminal.Width());
}
