using System.Text.Json.Nodes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A cluster of processes: what was answered survives what happens to them.</summary>
public sealed class ProcessTests
{
    private const string Name = "d";
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT NOT NULL)";

    [Fact]
    public async Task Sessions_write_and_read_through_every_node()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync();
        var created = await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync(Name);
        Assert.Equal((3u, 2u, "enam"), (created.Options.Followers, created.Options.Quorum, created.PrimaryRegion));
        var bookmark = default(Bookmark);
        for (var i = 0; i < 9; i++)
        {
            var session = i == 0 ? cluster.Database(i, Name).WithSession(Session.FirstPrimary) : cluster.Database(i % 3, Name).WithSession(bookmark);
            if (i == 0)
            {
                await session.ExecuteAsync(Schema);
            }

            await session.ExecuteAsync("INSERT INTO t (key) VALUES (?)", [$"k{i}"]);
            bookmark = session.Bookmark!.Value;
            Assert.Equal(i + 1, await cluster.Database((i + 1) % 3, Name).WithSession(bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t"));
        }
    }

    [Fact]
    public async Task The_primarys_process_is_killed_under_load_and_another_takes_over_with_every_answered_write()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync();
        await CreateAsync(cluster);
        await using var writers = new KeyedWriters(node => cluster.Nodes[node].Channel, Name, from: [1, 2]);
        await writers.UntilAsync(50);
        writers.TakeLongestPause();
        await cluster.Nodes[0].KillAsync();
        await writers.UntilAsync(writers.Answered + 50);
        var pause = writers.TakeLongestPause();
        TestContext.Current.TestOutputHelper?.WriteLine($"pause after SIGKILL: {pause.TotalMilliseconds:F0} ms");
        Assert.True(pause < TimeSpan.FromSeconds(10), $"{pause}\n{cluster}");
        Assert.NotEqual(0, await cluster.LeaderOfAsync(Name, askedAt: 1));

        // The same folder again: it finds its place, and what it missed.
        await cluster.Nodes[0].StartAsync();
        await writers.UntilAsync(writers.Answered + 10);
        await writers.StopAsync();
        await cluster.HasEachOnceAsync(Name, writers.Keys);
    }

    [Fact]
    public async Task A_node_that_is_told_to_stop_hands_its_primaries_over_first()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync();
        await CreateAsync(cluster);
        await using var writers = new KeyedWriters(node => cluster.Nodes[node].Channel, Name, from: [1, 2]);
        await writers.UntilAsync(50);
        writers.TakeLongestPause();
        var code = await cluster.Nodes[0].StopAsync();
        await writers.UntilAsync(writers.Answered + 50);
        var pause = writers.TakeLongestPause();
        TestContext.Current.TestOutputHelper?.WriteLine($"pause at SIGTERM: {pause.TotalMilliseconds:F0} ms");
        Assert.Equal(0, code);
        Assert.Contains("1 databases were handed over", cluster.Nodes[0].Log, StringComparison.Ordinal);
        Assert.True(pause < TimeSpan.FromSeconds(5), $"{pause}\n{cluster}");
        await writers.StopAsync();
        await cluster.HasEachOnceAsync(Name, writers.Keys);
    }

    [Fact]
    public async Task A_primary_that_stands_still_is_replaced_and_finds_itself_replaced_when_it_goes_on()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync();
        await CreateAsync(cluster);
        await using var writers = new KeyedWriters(node => cluster.Nodes[node].Channel, Name, from: [1, 2]);
        await writers.UntilAsync(50);
        writers.TakeLongestPause();
        await cluster.Nodes[0].FreezeAsync();
        await writers.UntilAsync(writers.Answered + 50);
        TestContext.Current.TestOutputHelper?.WriteLine($"pause after SIGSTOP: {writers.TakeLongestPause().TotalMilliseconds:F0} ms");
        await cluster.Nodes[0].ThawAsync();
        await writers.UntilAsync(writers.Answered + 10);
        await writers.StopAsync();
        await cluster.HasEachOnceAsync(Name, writers.Keys);
    }

    [Fact]
    public async Task A_node_that_only_routes_keeps_nothing_and_reads_where_somebody_lives()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync(nodes: 4, (number, settings) =>
        {
            if (number == 3)
            {
                settings["roles"] = "router";
            }
        });
        var router = cluster.Database(3, Name);
        var created = await cluster.Nodes[3].Client.Admin.CreateDatabaseAsync(Name); // somebody near leads it
        Assert.Equal(3u, created.Options.Followers);
        var session = router.WithSession(Session.FirstPrimary);
        await session.ExecuteAsync(Schema);
        await session.ExecuteAsync("INSERT INTO t (key) VALUES ('a')");
        Assert.Equal(1, await session.QueryScalarAsync<long>("SELECT count(*) FROM t"));
        for (var node = 0; node < 3; node++)
        {
            Assert.Equal(1, await cluster.Database(node, Name).WithSession(session.Bookmark!.Value).QueryScalarAsync<long>("SELECT count(*) FROM t"));
        }

        var leader = await cluster.LeaderOfAsync(Name, askedAt: 3);
        Assert.InRange(leader, 0, 2);
        Assert.False(Directory.Exists(Path.Combine(cluster.Nodes[3].Folder, "copies")));

        // The primary stands still: reads of sessions go on at the replicas.
        await cluster.Nodes[leader].FreezeAsync();
        var started = TimeProvider.System.GetTimestamp();
        var longest = TimeSpan.Zero;
        for (var reads = 0; reads < 20 || TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(1.5); reads++)
        {
            var before = TimeProvider.System.GetTimestamp();
            var answer = await router.WithSession(session.Bookmark!.Value).QueryAsync("SELECT key FROM t");
            Assert.Equal("a", answer.Rows.Single().GetString(0));
            var took = TimeProvider.System.GetElapsedTime(before);
            longest = took > longest ? took : longest;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"longest read while the primary stood still: {longest.TotalMilliseconds:F0} ms");
        Assert.True(longest < TimeSpan.FromSeconds(20), $"{longest}\n{cluster}");
        await cluster.Nodes[leader].ThawAsync();
    }

    [Fact]
    public async Task A_node_waits_for_its_control_plane_live_and_not_ready()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.PrepareAsync(nodes: 1);
        await cluster.Etcd.KillAsync();
        var node = cluster.Nodes[0];
        node.Begin();
        await Eventually.TrueAsync(async () => await node.HealthAsync("live") == 200, "it lives");
        Assert.Equal(503, await node.HealthAsync("ready"));
        await cluster.Etcd.StartAsync();
        await node.Process.ReadyAsync();
        Assert.Equal((200, 200), (await node.HealthAsync("live"), await node.HealthAsync("ready")));
        Assert.Equal(0, await node.StopAsync());
        Assert.Equal("stopped", node.Process.Output[^1]);
    }

    [Fact]
    public async Task A_folder_belongs_to_one_node_of_one_cluster_at_a_time()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync(nodes: 1);
        var node = cluster.Nodes[0];
        Assert.Contains("in use", await RefusalAsync(node), StringComparison.Ordinal);
        Assert.Equal(0, await node.StopAsync());

        Assert.Contains("belongs to node n0", await RefusalAsync(node, ("node_id", "other")), StringComparison.Ordinal);
        Assert.Contains("this one is in zone b", await RefusalAsync(node, ("zone", "b")), StringComparison.Ordinal);
        Assert.Contains("this is node n0 of region apac", await RefusalAsync(node, ("region", "apac")), StringComparison.Ordinal);

        await using var other = await ProcessCluster.StartAsync(nodes: 1);
        var etcd = new JsonObject { ["endpoints"] = new JsonArray(other.Etcd.Endpoint.GetLeftPart(UriPartial.Authority)) };
        node.Settings["etcd"] = etcd;
        node.Begin();
        await Eventually.TrueAsync(() => node.Log.Contains("etcd is not used", StringComparison.Ordinal), "another cluster's etcd is noticed");
    }

    private static async Task CreateAsync(ProcessCluster cluster)
    {
        await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync(Name);
        await cluster.Database(0, Name).ExecuteAsync(Schema);
    }

    private static async Task<string> RefusalAsync(ProcessNode node, params (string Key, string Value)[] changes)
    {
        var settings = node.Settings.DeepClone().AsObject();
        var ports = FreePorts.Take(2);
        settings["listen"] = new JsonObject { ["grpc_port"] = ports[0], ["http_port"] = ports[1] };
        foreach (var (key, value) in changes)
        {
            settings[key] = value;
        }

        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "node.json");
        await File.WriteAllTextAsync(file, settings.ToJsonString());
        var (code, output, errors) = await NodeProcess.RunToEndAsync("node", "--config", file);
        Assert.Equal(1, code);
        Assert.DoesNotContain("ready", output, StringComparison.Ordinal);
        return errors;
    }
}
