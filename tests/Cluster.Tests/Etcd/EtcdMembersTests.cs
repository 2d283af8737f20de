using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

/// <summary>An etcd of three members goes on without one of them, and so do the nodes: whichever it is, and whomever they ask.</summary>
public sealed class EtcdMembersTests : EtcdTest
{
    private EtcdMembers _etcd = null!;

    protected override async Task BeginAsync() => _etcd = Keep(await EtcdMembers.StartAsync());

    [Theory]
    [InlineData(0)] // the nodes ask the leader
    [InlineData(1, Explicit = true)] // they ask another one
    public async Task The_leading_member_is_killed_and_nodes_stay_and_changes_go_on(int asked)
    {
        var leader = await _etcd.LeaderAsync();
        Uri[] endpoints = [.. Enumerable.Range(0, 3).Select(i => _etcd.Members[(leader + asked + i) % 3].Endpoint)];
        var (one, other) = (await ConnectAsync(endpoints), await ConnectAsync(endpoints));
        await using var first = await one.RegisterAsync(Node("first"));
        await using var second = await other.RegisterAsync(Node("second"));
        await one.CreateAsync(Database(1, "app"));
        await UntilAsync(() => other.Find("app") is not null && one.Nodes.Count == 2 && other.Nodes.Count == 2, "both know everything");

        await _etcd.Members[leader].KillAsync();
        await one.CreateAsync(Database(2, "new"));
        await UntilAsync(() => other.Find("new") is not null, "the watch goes on");
        Assert.Equal(1u, await other.TakeEpochAsync(Database(1, "app").Id, "second", 0, 0));
        await UntilAsync(() => one.Find("app")!.PrimaryNode == "second", "the other one hears of it");
        Assert.Equal((2, 2), (one.Nodes.Count, other.Nodes.Count));

        // It is back, and the next one goes.
        await _etcd.Members[leader].StartAsync();
        await _etcd.Members[await _etcd.LeaderAsync()].KillAsync();
        await other.CreateAsync(Database(3, "third"));
        await UntilAsync(() => one.Find("third") is not null, "the watch goes on");
        await UntilAsync(() => one.Trouble is null && other.Trouble is null, "all is well");
        Assert.Equal((2, 2), (one.Nodes.Count, other.Nodes.Count));
        Assert.Equal((0, 0), (Log.Count(4303), Log.Count(4310)));

        async Task<EtcdControlPlane> ConnectAsync(Uri[] endpoints) => await this.ConnectAsync(
            Options($"node{Guid.NewGuid():N}", endpoints) with { Lease = TimeSpan.FromSeconds(30), AnswerPatience = TimeSpan.FromSeconds(1), CallPatience = TimeSpan.FromSeconds(50) });
    }

    [Fact(Explicit = true)]
    public async Task Without_two_of_three_nothing_changes_and_one_that_comes_back_is_enough()
    {
        var node = await ConnectAsync("node", [.. _etcd.Members.Select(member => member.Endpoint)]);
        await node.CreateAsync(Database(1, "app"));
        var leader = await _etcd.LeaderAsync();
        await Task.WhenAll(_etcd.Members[leader].KillAsync(), _etcd.Members[(leader + 1) % 3].KillAsync());
        await UntilAsync(() => node.Trouble is not null, "it is noticed");
        await RefusedAsync(Protocol.ErrorCodes.NoPrimary, () => node.TakeEpochAsync(Database(1, "app").Id, "n", 0, 0));
        Assert.NotNull(node.Find("app"));
        await _etcd.Members[leader].StartAsync();
        await UntilAsync(() => node.Trouble is null, "it is back");
        await node.CreateAsync(Database(2, "new"));
    }
}
