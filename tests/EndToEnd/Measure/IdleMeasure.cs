using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What many databases that nobody uses cost a node, and how long the first query of one takes.</summary>
internal static class IdleMeasure
{
    private const int Asked = 100;

    public static async Task<IReadOnlyList<double>> RunAsync(int databases, Action<string> say)
    {
        await using var cluster = await ProcessCluster.StartAsync(
            3, (_, settings) => (settings["log"], settings["times"]) = (new System.Text.Json.Nodes.JsonObject { ["level"] = "warning" }, new System.Text.Json.Nodes.JsonObject { ["idle"] = "10s" }));
        say($"no database: {Memory(cluster)}");
        var asked = Math.Min(databases, Asked);
        for (var number = 0; number < asked; number++)
        {
            await CreateAsync(cluster, number);
        }

        // As they are after a night: nothing is in memory but the catalogue, and what the journals hold.
        say($"{asked} were created and used: {Memory(cluster)}");
        foreach (var node in cluster.Nodes)
        {
            await node.StopAsync();
        }

        var started = TimeProvider.System.GetTimestamp();
        await IdleDatabases.AddAsync(cluster, NameOf(0), [.. Enumerable.Range(asked, databases - asked).Select(NameOf)]);
        say(string.Create(CultureInfo.InvariantCulture, $"{databases - asked} more were put beside them in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:F0} s"));
        started = TimeProvider.System.GetTimestamp();
        await cluster.StartAllAsync();
        foreach (var node in cluster.Nodes)
        {
            Assert.Equal(NameOf(databases - 1), (await node.Client.Admin.GetDatabaseAsync(NameOf(databases - 1))).Name);
        }

        say(string.Create(CultureInfo.InvariantCulture, $"started again in {TimeProvider.System.GetElapsedTime(started).TotalSeconds:F0} s: {Memory(cluster)}"));
        var figures = new List<double>();
        for (var number = 0; number < asked; number++)
        {
            started = TimeProvider.System.GetTimestamp();
            await cluster.Database(number % 3, NameOf(number)).QueryAsync("SELECT x FROM t");
            if (number >= 3) // a node's first of all is not a database's first
            {
                figures.Add(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
            }
        }

        say($"after {asked} first queries: {Memory(cluster)}");
        return figures;
    }

    // Tried again: a primary may be slow to come up.
    private static async Task CreateAsync(ProcessCluster cluster, int number)
    {
        while (true)
        {
            try
            {
                await cluster.Nodes[number % 3].Client.Admin.CreateDatabaseAsync(NameOf(number));
                break;
            }
            catch (ReplicatedSqliteException refused) when (refused.Code == Protocol.ErrorCodes.DatabaseExists)
            {
                break;
            }
            catch (ReplicatedSqliteException refused) when (refused.IsTransient || refused is WriteOutcomeUnknownException)
            {
                await Task.Delay(100);
            }
        }

        await cluster.Database(number % 3, NameOf(number)).ScriptAsync("CREATE TABLE t (x); INSERT INTO t VALUES (1)", null, new() { IdempotencyKey = "fill" });
    }

    private static string NameOf(int number) => $"idle-{number:d6}";

    private static string Memory(ProcessCluster cluster) => string.Join(", ", cluster.Nodes.Select(node =>
    {
        using var process = Process.GetProcessById(node.Process.Id);
        return $"{node.Id} {process.WorkingSet64 >> 20} MiB";
    }));
}
