using System.Text.Json.Nodes;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The leading member of an etcd of three is killed, and so is a primary: what coordinates a cluster has no single point that fails.</summary>
public sealed class EtcdMembersTests
{
    [Fact(Explicit = true)]
    public async Task With_a_member_of_etcd_gone_a_killed_primary_is_replaced_and_databases_are_created()
    {
        ProcessCluster.SkipIfMissing();
        await using var etcd = await EtcdMembers.StartAsync();
        await using var cluster = await ProcessCluster.StartAsync(
            configure: (_, settings) => settings["etcd"] = new JsonObject { ["endpoints"] = new JsonArray([.. etcd.Members.Select(member => JsonValue.Create(member.Endpoint.GetLeftPart(UriPartial.Authority)))]) });
        await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync("d");
        await cluster.Database(0, "d").ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT NOT NULL)");
        await using var writers = new KeyedWriters(node => cluster.Nodes[node].Channel, "d", from: [1, 2]);
        await writers.UntilAsync(50);

        await etcd.Members[await etcd.LeaderAsync()].KillAsync();
        await cluster.Nodes[0].KillAsync();
        await writers.UntilAsync(writers.Answered + 50);
        Assert.NotEqual(0, await cluster.LeaderOfAsync("d", askedAt: 1));
        await cluster.Nodes[0].StartAsync();
        await cluster.KnowEachOtherAsync();
        await cluster.Nodes[0].Client.Admin.CreateDatabaseAsync("new");
        await writers.StopAsync();
        await cluster.HasEachOnceAsync("d", writers.Keys);
        Assert.DoesNotContain("Never expected", cluster.ToString(), StringComparison.Ordinal);
    }
}
