using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EtcdNodesTests(EtcdFixture fixture) : EtcdTest, IClassFixture<EtcdFixture>
{
    private readonly string _prefix = fixture.NewPrefix();

    [Fact]
    public async Task Nodes_come_and_go_at_once_everywhere()
    {
        var (one, other) = (await OpenAsync("one"), await OpenAsync("other"));
        Assert.Equal(one.ClusterId, other.ClusterId);
        var first = await one.RegisterAsync(Node("first"));
        await using var second = await other.RegisterAsync(Node("second"));
        await UntilAsync(() => one.Nodes.Count == 2 && other.Nodes.Count == 2, "both know both");
        Assert.Equal([Node("first"), Node("second")], one.Nodes);
        await first.DisposeAsync();
        Assert.Equal([Node("second")], one.Nodes);
        await UntilAsync(() => other.Nodes.Count == 1, "the other knows that it went");
    }

    [Fact]
    public async Task A_node_that_stands_still_is_gone_after_its_lease_and_comes_back_by_itself()
    {
        var time = new ManualTime();
        var paused = await ConnectAsync(Options("paused", fixture.Server.Endpoint) with { Prefix = _prefix }, time);
        var watching = await OpenAsync("watching");
        await using var registration = await paused.RegisterAsync(Node("n"));
        await UntilAsync(() => watching.Nodes.Count == 1, "it is seen");
        await UntilAsync(() => watching.Nodes.Count == 0, "its lease ends");
        await UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return watching.Nodes.Count == 1;
            },
            "it registers again");
        Assert.Equal(1, Log.Count(4305));
        await UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return paused.Nodes.Count == 1;
            },
            "it knows itself again");
    }

    [Fact]
    public async Task A_node_whose_lease_was_revoked_or_whose_record_was_removed_registers_again()
    {
        var node = await OpenAsync("node");
        await using var registration = await node.RegisterAsync(Node("n"));
        await fixture.Server.ControlAsync("del", $"{_prefix}nodes/n");
        await UntilAsync(() => Log.Count(4305) == 1 && node.Nodes.Count == 1, "it registered again");
        Assert.Equal(0, Log.Count(4306));
    }

    [Fact]
    public async Task A_process_that_was_killed_is_followed_by_its_successor_without_a_wait()
    {
        var killed = await OpenAsync("node");
        await killed.RegisterAsync(Node("n"));
        await CopyMemoryAsync("node", "later"); // the folder as the kill left it
        var successor = await ConnectAsync(Options("later/node", fixture.Server.Endpoint) with { Prefix = _prefix });
        await using var registration = await successor.RegisterAsync(Node("n")); // the killed one's lease still runs: it is kept alive here
        await UntilAsync(() => Log.Count(4306) > 0, "the one that was thought dead says that it cannot register: " + Log.All);
        Assert.Equal([Node("n")], successor.Nodes);
    }

    [Fact]
    public async Task Two_processes_cannot_be_one_node()
    {
        var (one, other) = (await OpenAsync("one"), await OpenAsync("other"));
        await using var registration = await one.RegisterAsync(Node("n"));
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => other.RegisterAsync(Node("n")));
        Assert.Contains("alive already", refused.Message, StringComparison.Ordinal);
        Assert.Equal([Node("n")], one.Nodes);
    }

    private Task<EtcdControlPlane> OpenAsync(string node) => ConnectAsync(Options(node, fixture.Server.Endpoint) with { Prefix = _prefix });
}
