using System.Globalization;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cli;

/// <summary>What operators look at: requests under way, and the copies of a database. For commands and for the shell.</summary>
internal static class ClusterViews
{
    public static async Task<int> ShowQueriesAsync(
        ReplicatedSqliteClient client, string? database, bool thisNode, ResultWriter writer, Terminal terminal, CancellationToken cancellationToken)
    {
        var found = await client.Admin.ListQueriesAsync(database, thisNode, cancellationToken);
        var table = new TextTable("id", "node", "database", "method", "state", "age_ms", "sql");
        foreach (var query in found.Queries)
        {
            var age = query.Age.ToTimeSpan().TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
            table.Add(query.Id, query.NodeId, query.Database, query.Method, StateOf(query.State), age, query.Sql);
        }

        table.Write(writer);
        foreach (var node in found.MissingNodes) await terminal.Error.WriteLineAsync($"Node {node} did not answer: what it runs is missing.");
        return ExitCode.Ok;
    }

    public static async Task<int> KillAsync(ReplicatedSqliteClient client, string id, Terminal terminal, CancellationToken cancellationToken)
    {
        var killed = await client.Admin.KillQueryAsync(id, cancellationToken);
        if (killed.Interrupted) return ExitCode.Ok;
        await terminal.Error.WriteLineAsync($"error: {id} was left alone. {killed.Reason}");
        return ExitCode.SqlError;
    }

    /// <summary>The copies in memory, then the followers that have none.</summary>
    public static async Task<int> ShowCopiesAsync(ReplicatedSqliteClient client, string database, ResultWriter writer, CancellationToken cancellationToken)
    {
        var topology = await client.Admin.GetTopologyAsync(database, cancellationToken);
        var table = new TextTable("node", "region", "role", "follows", "alive", "bookmark", "behind", "confirm_lag_ms", "stale_ms");
        var followers = topology.Followers.Select(follower => follower.NodeId).ToHashSet(StringComparer.Ordinal);
        foreach (var copy in topology.Copies)
        {
            var isPrimary = copy.Role == Role.Primary;
            table.Add(
                copy.NodeId,
                copy.Region,
                copy.Role.ToString().ToLowerInvariant(),
                YesNo(followers.Contains(copy.NodeId)),
                YesNo(copy.Alive),
                copy.Bookmark,
                isPrimary ? null : copy.HasWritesBehind ? copy.WritesBehind.ToString(CultureInfo.InvariantCulture) : "?",
                isPrimary ? null : Number(copy.ConfirmLagMs),
                isPrimary ? null : copy.HasStalenessMs ? Number(copy.StalenessMs) : "never");
        }

        foreach (var follower in topology.Followers.Where(follower => topology.Copies.All(copy => copy.NodeId != follower.NodeId)))
            table.Add(follower.NodeId, follower.Region.Length > 0 ? follower.Region : null, "follower", "yes", YesNo(follower.Alive), null, null, null, null);
        table.Write(writer);
        return ExitCode.Ok;
    }

    private static string StateOf(QueryState state) => state switch
    {
        QueryState.WaitingForBookmark => "waiting for bookmark",
        QueryState.WaitingForQuorum => "waiting for quorum",
        _ => state.ToString().ToLowerInvariant(),
    };

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string YesNo(bool value) => value ? "yes" : "no";
}
