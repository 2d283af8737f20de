using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql update NAME</c>: changes what is named, leaves the rest.</summary>
internal sealed class UpdateCommand(Terminal terminal)
{
    private readonly Argument<string> _database = new("NAME") { Description = "Name or id of the database." };

    private readonly Option<string> _name = new("--name") { Description = "A new name. The old one is free at the same moment.", HelpName = "NAME" };

    private readonly Option<string> _replicas = new("--replicas") { Description = "all, none, or regions with commas between.", HelpName = "REGIONS" };

    private readonly Option<double?> _retention = new("--retention") { Description = "Days for which every state of it can be gone back to. Default, and with 0: the cluster's.", HelpName = "DAYS" };

    private readonly Option<string> _profile = new("--profile") { Description = "Limits and SQL policy: default or d1.", HelpName = "PROFILE" };

    private readonly Option<uint?> _followers = new("--followers") { Description = "Copies of the log that make writes durable: 1, 3 or 5.", HelpName = "N" };

    private readonly Option<uint?> _quorum = new("--quorum") { Description = "How many of them must have a write before it is answered.", HelpName = "N" };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("update", "Changes a database: its name, replicas, profile, followers.") { _database, _name, _replicas, _profile, _followers, _quorum, _retention };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var request = Request(parsed);
        if (request.Equals(new UpdateDatabaseRequest { Database = request.Database }))
        {
            await terminal.Error.WriteLineAsync("error: there is nothing to change: --name, --replicas, --profile, --followers, --quorum or --retention is wanted");
            return ExitCode.Usage;
        }

        var database = await client.Admin.UpdateDatabaseAsync(request, cancellationToken);
        await terminal.Output.WriteLineAsync(
            $"{database.Name} ({database.Id}): primary in {database.PrimaryRegion}, {ReplicaChoice.Describe(database)}, profile {database.Options.Profile}, " +
            $"quorum {database.Options.Quorum} of {database.Options.Followers} followers");
        return ExitCode.Ok;
    }

    private UpdateDatabaseRequest Request(ParseResult parsed)
    {
        var request = new UpdateDatabaseRequest { Database = parsed.GetValue(_database), NewName = parsed.GetValue(_name) ?? "" };
        if (parsed.GetValue(_replicas) is { } replicas)
        {
            (request.Replication, request.ReplicaRegions) = ReplicaChoice.Parse(replicas);
        }

        var options = new DatabaseOptions { Profile = parsed.GetValue(_profile) ?? "" };
        if (parsed.GetValue(_followers) is { } followers)
        {
            options.Followers = followers;
        }

        if (parsed.GetValue(_quorum) is { } quorum)
        {
            options.Quorum = quorum;
        }

        if (parsed.GetValue(_retention) is { } days)
        {
            options.Retention = Duration.FromTimeSpan(TimeSpan.FromDays(days));
        }

        if (options.CalculateSize() > 0)
        {
            request.Options = options;
        }

        return request;
    }
}
