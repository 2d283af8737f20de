using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>etcd comes back with less than it had: nothing that was answered is lost, and an operator can go on.</summary>
public sealed class EtcdBroughtBackTests
{
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT NOT NULL)";

    [Fact]
    public async Task After_a_backup_of_etcd_is_brought_back_and_accepted_every_database_has_its_name_and_its_writes()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync();
        var admin = cluster.Nodes[1].Client.Admin;
        await admin.CreateDatabaseAsync("d");
        await admin.CreateDatabaseAsync("before");
        await cluster.Database(1, "d").ExecuteAsync(Schema);
        await cluster.Database(1, "before").ExecuteAsync(Schema);
        await cluster.Database(1, "before").ExecuteAsync("INSERT INTO t (key) VALUES ('first')");
        await cluster.Etcd.SaveSnapshotAsync("backup");

        // Epochs, a name and a database that the backup knows nothing of.
        await admin.MovePrimaryAsync(new() { Database = "d", Region = "apac" });
        await admin.UpdateDatabaseAsync(new() { Database = "before", NewName = "after" });
        await admin.CreateDatabaseAsync("before");
        await cluster.Database(1, "before").ExecuteAsync(Schema);
        await cluster.Database(1, "before").ExecuteAsync("INSERT INTO t (key) VALUES ('second')");
        await using var writers = new KeyedWriters(node => cluster.Nodes[node].Channel, "d", from: [0, 1]);
        await writers.UntilAsync(50);

        await cluster.Etcd.KillAsync();
        await cluster.Etcd.RestoreSnapshotAsync("backup");
        await cluster.Etcd.StartAsync();
        await Eventually.TrueAsync(() => cluster.Nodes.All(node => node.Log.Contains("etcd is not used", StringComparison.Ordinal)), "all notice");
        await writers.UntilAsync(writers.Answered + 50); // what is led goes on
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => admin.CreateDatabaseAsync("new"));
        Assert.Contains("backup", refused.Message, StringComparison.Ordinal);

        var leader = await cluster.LeaderOfAsync("d", askedAt: 1);
        Assert.Equal("apac", cluster.Nodes[leader].Region);
        await cluster.Nodes[leader].KillAsync();
        cluster.Nodes[leader].Settings["etcd"]!["accept_restored"] = true;
        await cluster.Nodes[leader].StartAsync();
        await writers.UntilAsync(writers.Answered + 50);
        await writers.StopAsync();
        await cluster.HasEachOnceAsync("d", writers.Keys);
        for (var node = 0; node < 3; node++)
        {
            Assert.Equal("first", await ReadAsync(cluster, node, "after"));
            Assert.Equal("second", await ReadAsync(cluster, node, "before"));
        }

        await admin.CreateDatabaseAsync("new");
        Assert.DoesNotContain("Never expected", string.Join('\n', cluster.Nodes.Select(node => node.Log)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_etcd_lost_everything_the_nodes_bring_it_back()
    {
        ProcessCluster.SkipIfMissing();
        await using var cluster = await ProcessCluster.StartAsync();
        await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync("d");
        await cluster.Database(0, "d").ExecuteAsync(Schema);
        await using var writers = new KeyedWriters(node => cluster.Nodes[node].Channel, "d", from: [0, 1]);
        await writers.UntilAsync(20);
        await cluster.Etcd.KillAsync();
        cluster.Etcd.Wipe();
        await cluster.Etcd.StartAsync();
        await Eventually.TrueAsync(() => cluster.Nodes.All(node => node.Log.Contains("etcd is not used", StringComparison.Ordinal)), "all notice");
        await cluster.Nodes[2].StopAsync();
        cluster.Nodes[2].Settings["etcd"]!["accept_restored"] = true;
        await cluster.Nodes[2].StartAsync();
        await Eventually.TrueAsync(() => cluster.Nodes.Take(2).All(node => node.Log.Contains("etcd is back", StringComparison.Ordinal)), "the others go on with it");
        await cluster.KnowEachOtherAsync();

        // What was led goes on; and now others may lead it again.
        await writers.UntilAsync(writers.Answered + 20);
        await cluster.Nodes[await cluster.LeaderOfAsync("d", askedAt: 2)].KillAsync();
        await writers.StopAsync();
        await cluster.Database(2, "d").ExecuteAsync("INSERT INTO t (key) VALUES ('after')", null, new() { IdempotencyKey = "after" });
        await cluster.HasEachOnceAsync("d", [.. writers.Keys, "after"]);
    }

    private static async Task<string> ReadAsync(ProcessCluster cluster, int node, string name) =>
        await cluster.Database(node, name).WithSession(Session.FirstPrimary).QueryScalarAsync<string>("SELECT key FROM t") ?? "";
}
