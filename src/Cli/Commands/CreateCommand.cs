using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary><c>rsql create NAME</c>.</summary>
internal sealed class CreateCommand(Terminal terminal)
{
    private readonly Argument<string> _name = new("NAME") { Description = "Letters, digits, '_' and '-', up to 64." };

    private readonly Option<string> _region = new("--region")
    {
        Description = "Region of the primary. Default: the region of the node asked.",
        HelpName = "REGION",
    };

    private readonly Option<string> _replicas = new("--replicas")
    {
        Description = "all (default), none, or regions with commas between.",
        HelpName = "REGIONS",
    };

    private readonly Option<uint?> _followers = new("--followers") { Description = "Copies of the log that make writes durable: 1, 3 or 5.", HelpName = "N" };

    private readonly Option<uint?> _quorum = new("--quorum") { Description = "How many of them must have a write before it is answered.", HelpName = "N" };

    private readonly Option<uint?> _pageSize = new("--page-size") { Description = "Bytes of a page, a power of two from 512 to 65536.", HelpName = "BYTES" };

    private readonly Option<double?> _retention = new("--retention") { Description = "Days for which every state of it can be gone back to. Default, and with 0: the cluster's.", HelpName = "DAYS" };

    private readonly Option<string> _profile = new("--profile") { Description = "Limits and SQL policy: default or d1.", HelpName = "PROFILE" };

    public Command Build(Func<ParseResult, Func<ReplicatedSqliteClient, CancellationToken, Task<int>>, CancellationToken, Task<int>> connected)
    {
        var command = new Command("create", "Creates a database.") { _name, _region, _replicas, _followers, _quorum, _pageSize, _retention, _profile };
        command.SetAction((parsed, cancellationToken) => connected(parsed, (client, token) => RunAsync(client, parsed, token), cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ReplicatedSqliteClient client, ParseResult parsed, CancellationToken cancellationToken)
    {
        var database = await client.Admin.CreateDatabaseAsync(Request(parsed), cancellationToken);
        await terminal.Output.WriteLineAsync($"{database.Name} ({database.Id}): primary in {database.PrimaryRegion}, {ReplicaChoice.Describe(database)}");
        return ExitCode.Ok;
    }

    private CreateDatabaseRequest Request(ParseResult parsed)
    {
        var request = new CreateDatabaseRequest { Name = parsed.GetValue(_name), PrimaryRegion = parsed.GetValue(_region) ?? "" };
        if (parsed.GetValue(_replicas) is { } replicas and not "all")
        {
            (request.Replication, request.ReplicaRegions) = ReplicaChoice.Parse(replicas);
        }

        var options = new DatabaseOptions { Profile = parsed.GetValue(_profile) ?? "", PageSize = parsed.GetValue(_pageSize) ?? 0 };
        if (parsed.GetValue(_followers) is { } followers) options.Followers = followers;
        if (parsed.GetValue(_quorum) is { } quorum) options.Quorum = quorum;
        if (parsed.GetValue(_retention) is { } days) options.Retention = Duration.FromTimeSpan(TimeSpan.FromDays(days));
        if (options.CalculateSize() > 0) request.Options = options;
        return request;
    }
}
