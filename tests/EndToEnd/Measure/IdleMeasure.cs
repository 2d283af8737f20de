using System.Diagnostics;
using System.Globalization;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What many databases that nobody uses cost a node, and how long the first query of one takes.</summary>
internal static class IdleMeasure
{
    private const int AtOnce = 32;
    private const int Asked = 100;

    public static async Task<IReadOnlyList<double>> RunAsync(int databases, Action<string> say)
    {
        await using var cluster = await ProcessCluster.StartAsync(
            3, (_, settings) => (settings["log"], settings["times"]) = (new System.Text.Json.Nodes.JsonObject { ["level"] = "warning" }, new System.Text.Json.Nodes.JsonObject { ["idle"] = "10s" }));
        say($"before: {Memory(cluster)}");
        var created = 0;
        var started = TimeProvider.System.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, databases), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, cancellationToken) =>
        {
            await CreateAsync(cluster.Nodes[number % 3], NameOf(number), cancellationToken);
            if (Interlocked.Increment(ref created) % 10_000 == 0)
            {
                say(string.Create(CultureInfo.InvariantCulture, $"{created} databases, {created / TimeProvider.System.GetElapsedTime(started).TotalSeconds:F0}/s: {Memory(cluster)}"));
            }
        });

        var random = new Random(1);
        var some = Enumerable.Range(0, Asked).Select(_ => random.Next(databases)).Distinct().ToList();
        foreach (var number in some)
        {
            await cluster.Database(number % 3, NameOf(number)).ScriptAsync("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
        }

        // As they are after a night: nothing is in memory but the catalogue.
        foreach (var node in cluster.Nodes)
        {
            await node.StopAsync();
        }

        await cluster.StartAllAsync();
        say($"started again: {Memory(cluster)}");
        await cluster.Database(0, NameOf(some[0])).QueryAsync("SELECT x FROM t"); // the node's first of all is not a database's first
        var figures = new List<double>();
        foreach (var number in some.Skip(1))
        {
            started = TimeProvider.System.GetTimestamp();
            await cluster.Database(number % 3, NameOf(number)).QueryAsync("SELECT x FROM t");
            figures.Add(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
        }

        say($"after {figures.Count} first queries: {Memory(cluster)}");
        return figures;
    }

    // Tried again: a name that is taken was taken by the try before.
    private static async Task CreateAsync(ProcessNode node, string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await node.Client.Admin.CreateDatabaseAsync(name, null, cancellationToken);
                return;
            }
            catch (ReplicatedSqliteException refused) when (refused.Code == Protocol.ErrorCodes.DatabaseExists)
            {
                return;
            }
            catch (ReplicatedSqliteException refused) when (refused.IsTransient || refused is WriteOutcomeUnknownException)
            {
                await Task.Delay(100, cancellationToken);
            }
        }
    }

    private static string NameOf(int number) => $"idle-{number:d6}";

    private static string Memory(ProcessCluster cluster) => string.Join(", ", cluster.Nodes.Select(node =>
    {
        using var process = Process.GetProcessById(node.Process.Id);
        return $"{node.Id} {process.WorkingSet64 >> 20} MiB";
    }));
}
