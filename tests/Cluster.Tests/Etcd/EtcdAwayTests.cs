using System.Net;
using System.Net.Sockets;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EtcdAwayTests : EtcdTest
{
    private EtcdServer _server = null!;

    protected override async Task BeginAsync() => _server = Keep(await EtcdServer.StartAsync());

    [Fact]
    public async Task While_etcd_is_down_lookups_go_on_and_changes_fail_in_time_and_afterwards_everything_works_again()
    {
        var (one, other) = (await ConnectAsync("one", _server.Endpoint), await ConnectAsync("other", _server.Endpoint));
        await using var first = await one.RegisterAsync(Node("first"));
        await using var second = await other.RegisterAsync(Node("second"));
        await one.CreateAsync(Database(1, "app"));
        await UntilAsync(() => other.Find("app") is not null && one.Nodes.Count == 2 && other.Nodes.Count == 2, "both know everything");

        await _server.KillAsync();
        await UntilAsync(() => one.Trouble is not null && other.Trouble is not null, "both notice");
        var start = TimeProvider.System.GetTimestamp();
        await RefusedAsync(ErrorCodes.NoPrimary, () => one.CreateAsync(Database(2, "new")));
        await RefusedAsync(ErrorCodes.NoPrimary, () => one.TakeEpochAsync(Database(1, "app").Id, "first", 0, 0));
        await RefusedAsync(ErrorCodes.NoPrimary, () => one.DeleteAsync(Database(1, "app").Id));
        await RefusedAsync(ErrorCodes.NoPrimary, async () => await one.FindNewestAsync("unknown"));
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(40), "Four refusals took too long.");
        Assert.Equal((2, 2), (one.Nodes.Count, other.Nodes.Count)); // longer than their leases
        Assert.Equal(Database(1, "app").Id, other.Find("app")!.Id);

        await _server.StartAsync();
        await UntilAsync(() => one.Trouble is null && other.Trouble is null, "both are back");
        Assert.Equal((2, 2), (one.Nodes.Count, other.Nodes.Count));
        await one.CreateAsync(Database(2, "new"));
        await UntilAsync(() => other.Find("new") is not null, "the watch goes on");
        Assert.Equal(1u, await other.TakeEpochAsync(Database(2, "new").Id, "second", 0, 0));
        Assert.Equal((0, 0), (Log.Count(4303), Log.Count(4310)));
    }

    [Fact]
    public async Task A_node_starts_without_etcd_with_what_it_remembers_and_one_that_remembers_nothing_does_not()
    {
        await using (var before = await ConnectAsync("node", _server.Endpoint))
        {
            await using var registration = await before.RegisterAsync(Node("n"));
            await before.CreateAsync(Database(1, "app"));
            await before.CreateAsync(Database(2, "gone"));
            await before.DeleteAsync(Database(2, "gone").Id);
            await UntilAsync(() => before.Nodes.Count == 1, "it is registered");
        }

        await _server.KillAsync();
        var node = await ConnectAsync("node", _server.Endpoint);
        Assert.NotNull(node.Trouble);
        Assert.Equal(Database(1, "app").Id, node.Find("app")!.Id);
        Assert.True(node.IsDeleted(Database(2, "gone").Id));
        await using var again = await node.RegisterAsync(Node("n"));
        await RefusedAsync(ErrorCodes.NoPrimary, () => node.CreateAsync(Database(3, "new")));
        var refused = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => ConnectAsync("new", _server.Endpoint));
        Assert.Contains("remembers nothing", refused.Message, StringComparison.Ordinal);

        await _server.StartAsync();
        await UntilAsync(() => node.Trouble is null && node.Nodes.Count == 1, "it joined and registered");
        await node.CreateAsync(Database(3, "new"));
    }

    [Fact]
    public async Task A_dead_endpoint_and_one_that_never_answers_are_passed_over()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(); // the kernel takes connections, nobody reads from them
        var dead = new Uri($"http://127.0.0.1:{FreePorts.Take(1)[0]}");
        var mute = new Uri($"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");
        var node = await ConnectAsync("node", dead, mute, _server.Endpoint);
        await using var registration = await node.RegisterAsync(Node("n"));
        await node.CreateAsync(Database(1, "app"));
        await UntilAsync(() => node.Nodes.Count == 1, "it is registered");
        Assert.Null(node.Trouble);
        Assert.Equal(0, Log.Count(4301));
    }

    [Fact]
    public async Task A_change_whose_answer_is_lost_is_told_as_unknown_and_a_creation_that_arrived_is_recognized()
    {
        await using var proxy = new TcpProxy(_server.Endpoint);
        var node = await ConnectAsync("node", proxy.Endpoint);
        proxy.Stall(newOnesToo: true);
        var unknown = await RefusedAsync(ErrorCodes.WriteOutcomeUnknown, () => node.CreateAsync(Database(1, "app")));
        Assert.Equal((CommitState.Unknown, false), (unknown.Error.CommitState, unknown.Error.Retryable));
        await RefusedAsync(ErrorCodes.NoPrimary, () => node.TakeEpochAsync(Database(1, "app").Id, "n", 0, 0)); // that does no harm
        proxy.Heal();
        await UntilAsync(() => node.Trouble is null, "it is back");
        await node.CreateAsync(Database(2, "other"));

        // The first attempt arrives, and its answer does not; the second finds what the first one did.
        var answering = await ConnectAsync("answering", proxy.Endpoint);
        proxy.SwallowAnswers(1);
        await answering.CreateAsync(Database(3, "third"));
        Assert.Equal(Database(3, "third").Id, answering.Find("third")!.Id);
    }

    [Fact]
    public async Task An_etcd_that_stands_still_is_away()
    {
        var node = await ConnectAsync("node", _server.Endpoint);
        await using var registration = await node.RegisterAsync(Node("n"));
        await _server.SignalAsync("STOP");
        await UntilAsync(() => node.Trouble is not null, "it is noticed");
        Assert.Single(node.Nodes);
        await _server.SignalAsync("CONT");
        await UntilAsync(() => node.Trouble is null && node.Nodes.Count == 1, "it is back");
        await node.CreateAsync(Database(1, "app"));
    }
}
