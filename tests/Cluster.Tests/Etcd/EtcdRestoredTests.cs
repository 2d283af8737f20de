using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EtcdRestoredTests : EtcdTest
{
    private EtcdServer _server = null!;

    protected override async Task BeginAsync() => _server = Keep(await EtcdServer.StartAsync());

    [Fact]
    public async Task A_wiped_etcd_is_left_alone_by_nodes_that_run_by_new_ones_and_after_a_restart()
    {
        var running = await ConnectAsync("running", _server.Endpoint);
        await using var registration = await running.RegisterAsync(Node("n"));
        await running.CreateAsync(Database(1, "app"));
        await _server.KillAsync();
        _server.Wipe();
        await _server.StartAsync();
        await UntilAsync(() => Log.Count(4303) > 0, "it is noticed");
        Assert.Contains("wiped", running.Trouble, StringComparison.Ordinal);
        Assert.Contains("--etcd-accept-restored", running.Trouble, StringComparison.Ordinal);
        Assert.Equal(Database(1, "app").Id, running.Find("app")!.Id);
        Assert.Equal([Node("n")], running.Nodes);
        var refused = await RefusedAsync(ErrorCodes.NoPrimary, () => running.TakeEpochAsync(Database(1, "app").Id, "n", 0, 0));
        Assert.Contains("wiped", refused.Message, StringComparison.Ordinal);
        await RefusedAsync(ErrorCodes.NoPrimary, () => running.CreateAsync(Database(2, "new")));

        var isNew = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => ConnectAsync("new", _server.Endpoint));
        Assert.Contains("leave it alone", isNew.Message, StringComparison.Ordinal); // else it would make a new cluster there
        await running.DisposeAsync();
        var again = await ConnectAsync("running", _server.Endpoint);
        Assert.NotNull(again.Trouble);
        Assert.Equal(Database(1, "app").Id, again.Find("app")!.Id);
    }

    [Fact]
    public async Task An_etcd_of_before_a_backup_is_left_alone_until_it_is_accepted_and_then_knows_everything_again()
    {
        var (one, other) = (await ConnectAsync("one", _server.Endpoint), await ConnectAsync("other", _server.Endpoint));
        var cluster = one.ClusterId;
        await one.CreateAsync(Database(1, "kept"));
        await one.CreateAsync(Database(2, "old name"));
        await one.CreateAsync(Database(3, "deleted"));
        await one.TakeEpochAsync(Database(1, "").Id, "n", 0, 0);
        await _server.SaveSnapshotAsync("backup");
        await one.TakeEpochAsync(Database(1, "").Id, "m", 1, 6);
        await one.UpdateAsync(Database(2, "").Id, record => record with { Name = "new name" });
        await one.DeleteAsync(Database(3, "").Id);
        await one.CreateAsync(Database(4, "old name"));
        await one.CreateAsync(Database(5, "deleted"));
        await UntilAsync(() => other.Find("deleted")?.Id == Database(5, "").Id, "both know everything");

        await _server.KillAsync();
        await _server.RestoreSnapshotAsync("backup");
        await _server.StartAsync();
        await UntilAsync(() => Log.Count(4303) == 2, "both notice");
        await RefusedAsync(ErrorCodes.NoPrimary, () => one.TakeEpochAsync(Database(1, "").Id, "n", 7, 0));
        Assert.Equal(7u, one.Find("kept")!.Epoch);

        await other.DisposeAsync();
        var accepting = await ConnectAsync(Options("other", _server.Endpoint) with { AcceptRestored = true });
        Assert.Equal((null, cluster), (accepting.Trouble, accepting.ClusterId));
        await UntilAsync(() => one.Trouble is null, "the others go on by themselves: " + Log.All);
        var late = await ConnectAsync("late", _server.Endpoint);
        foreach (var node in new[] { accepting, one, late })
        {
            Assert.Equal(["deleted", "kept", "new name", "old name"], node.List("", "", 10).Select(database => database.Name));
            Assert.Equal([5, 1, 2, 4], node.List("", "", 10).Select(database => Enumerable.Range(1, 5).Single(i => Database(i, "").Id == database.Id)));
            Assert.Equal((7u, "m"), (node.Find("kept")!.Epoch, node.Find("kept")!.PrimaryNode));
            Assert.True(node.IsDeleted(Database(3, "").Id));
        }

        Assert.Equal(8u, await one.TakeEpochAsync(Database(1, "").Id, "n", 7, 0));
        await accepting.CreateAsync(Database(6, "new"));
        await UntilAsync(() => one.Find("new") is not null && late.Find("new") is not null, "the watches go on");
    }

    [Fact]
    public async Task A_wiped_etcd_that_is_accepted_is_told_everything_by_every_node()
    {
        var (knows, hasMissed) = (await ConnectAsync("knows", _server.Endpoint), await ConnectAsync("missed", _server.Endpoint));
        await knows.CreateAsync(Database(1, "both"));
        await UntilAsync(() => hasMissed.Find("both") is not null, "it is known");
        await hasMissed.DisposeAsync();
        await knows.CreateAsync(Database(2, "one"));
        await knows.TakeEpochAsync(Database(1, "").Id, "n", 0, 0);
        await knows.DisposeAsync();
        await _server.KillAsync();
        _server.Wipe();
        await _server.StartAsync();

        var accepting = await ConnectAsync(Options("missed", _server.Endpoint) with { AcceptRestored = true });
        Assert.Equal(["both"], accepting.List("", "", 10).Select(database => database.Name));
        var telling = await ConnectAsync("knows", _server.Endpoint);
        Assert.Null(telling.Trouble);
        await UntilAsync(() => accepting.List("", "", 10).Count == 2 && accepting.Find("both")!.Epoch == 1, "it is told the rest");
        Assert.Equal(0, Log.Count(4310));
    }

    [Fact]
    public async Task A_backup_that_went_on_before_anybody_looked_is_noticed_by_its_history()
    {
        var node = await ConnectAsync("node", _server.Endpoint);
        await node.CreateAsync(Database(1, "app"));
        await node.DisposeAsync();
        await CopyMemoryAsync("node", "before");
        await _server.SaveSnapshotAsync("backup");
        node = await ConnectAsync("node", _server.Endpoint);
        await node.CreateAsync(Database(2, "lost"));
        await node.DisposeAsync();
        await _server.KillAsync();
        await _server.RestoreSnapshotAsync("backup");
        await _server.StartAsync();
        var unaware = await ConnectAsync("before/node", _server.Endpoint); // knows nothing newer than the backup
        Assert.Null(unaware.Trouble);
        await unaware.CreateAsync(Database(3, "other"));
        await unaware.CreateAsync(Database(4, "yet another"));

        var aware = await ConnectAsync("node", _server.Endpoint);
        Assert.Contains("did not go on", aware.Trouble, StringComparison.Ordinal);
        await UntilAsync(() => unaware.Trouble is not null, "it is told to stop");
        await RefusedAsync(ErrorCodes.NoPrimary, () => unaware.CreateAsync(Database(5, "more")));
        await aware.DisposeAsync();
        var accepting = await ConnectAsync(Options("node", _server.Endpoint) with { AcceptRestored = true });
        Assert.Equal(["app", "lost", "other", "yet another"], accepting.List("", "", 10).Select(database => database.Name));
    }

    [Fact]
    public async Task Another_clusters_etcd_is_not_touched()
    {
        await using var others = await EtcdServer.StartAsync();
        var other = await ConnectAsync("other", others.Endpoint);
        var node = await ConnectAsync("node", _server.Endpoint);
        await node.CreateAsync(Database(1, "app"));
        await node.DisposeAsync();
        var lost = await ConnectAsync(Options("node", others.Endpoint) with { AcceptRestored = true });
        Assert.Contains(other.ClusterId, lost.Trouble, StringComparison.Ordinal);
        await RefusedAsync(ErrorCodes.NoPrimary, () => lost.CreateAsync(Database(2, "new")));
        await other.CreateAsync(Database(3, "fine"));
        Assert.Null(other.Trouble);
        Assert.Null(other.Find("app"));
    }

    [Fact]
    public async Task Accepting_what_is_as_it_was_does_nothing()
    {
        var node = await ConnectAsync("node", _server.Endpoint);
        await node.CreateAsync(Database(1, "app"));
        await node.DisposeAsync();
        var again = await ConnectAsync(Options("node", _server.Endpoint) with { AcceptRestored = true });
        Assert.Null(again.Trouble);
        Assert.Equal((0, 0), (Log.Count(4311), Log.Count(4312)));
    }
}
