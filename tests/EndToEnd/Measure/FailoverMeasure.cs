using System.Globalization;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>How long until a write is answered again, after the primary's process was killed, or cut off from everybody but its clients.</summary>
internal static class FailoverMeasure
{
    private const string Name = "d";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan _slow = TimeSpan.FromSeconds(2.5); // what took longer is told with what the nodes logged meanwhile

    /// <param name="network">Where the nodes are.</param>
    /// <param name="nodes">How many.</param>
    /// <param name="times">How often.</param>
    /// <param name="cut">Cut off, instead of killed.</param>
    /// <param name="say">Takes each figure.</param>
    public static async Task<IReadOnlyList<double>> RunAsync(ProcessNetwork network, int nodes, int times, bool cut, Action<string> say)
    {
        await using var cluster = await ProcessCluster.StartAsync(nodes, (_, settings) => settings["log"] = new System.Text.Json.Nodes.JsonObject { ["level"] = "information" }, network: network);
        await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync(Name);
        await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE t (x INTEGER)");
        for (var node = 0; node < nodes; node++)
        {
            await WriteAsync(cluster, node); // each has a copy and its ways
        }

        var figures = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var leader = await cluster.LeaderOfAsync(Name, askedAt: 0);
            var others = Enumerable.Range(0, nodes).Where(node => node != leader).ToList();
            var logged = others.ConvertAll(node => cluster.Nodes[node].Log.Length);
            var at = TimeProvider.System.GetLocalNow();
            var started = TimeProvider.System.GetTimestamp();
            if (cut)
            {
                foreach (var other in others.Append(ProcessNetwork.Etcd))
                {
                    await network.CutAsync(leader, other, oneWay: false);
                }
            }
            else
            {
                await cluster.Nodes[leader].KillAsync();
            }

            // The first write that was sent after it, through any of the others.
            using var ending = new CancellationTokenSource(_patience);
            await await Task.WhenAny(others.Select(node => WriteAsync(cluster, node, ending.Token)));
            figures.Add(TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
            await ending.CancelAsync();
            say(string.Create(CultureInfo.InvariantCulture, $"{i + 1}: n{leader} {(cut ? "cut off" : "killed")}, written again after {figures[^1]:F0} ms"));
            if (figures[^1] > _slow.TotalMilliseconds)
            {
                say(string.Create(CultureInfo.InvariantCulture, $"   it went at {at:HH:mm:ss.fff}"));
                foreach (var line in others.SelectMany((node, index) => cluster.Nodes[node].Log[logged[index]..].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"   n{node} {line}")))
                {
                    say(line);
                }
            }

            await network.HealAsync();
            if (!cut)
            {
                await cluster.Nodes[leader].StartAsync();
            }

            await cluster.KnowEachOtherAsync();
            await WriteAsync(cluster, leader); // and it follows again
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        return figures;
    }

    // Sent again until it is answered.
    private static async Task WriteAsync(ProcessCluster cluster, int node, CancellationToken cancellationToken = default)
    {
        var key = Guid.NewGuid().ToString("N");
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await cluster.Database(node, Name).ExecuteAsync("INSERT INTO t VALUES (1)", null, new() { IdempotencyKey = key, CallTimeout = TimeSpan.FromSeconds(10) }, cancellationToken);
                return;
            }
            catch (ReplicatedSqliteException refused) when (refused.IsTransient && TimeProvider.System.GetElapsedTime(started) < _patience)
            {
                await Task.Delay(10, cancellationToken);
            }
        }
    }
}
