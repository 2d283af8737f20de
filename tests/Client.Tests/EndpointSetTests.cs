using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Which node is asked, after one of them has failed.</summary>
public sealed class EndpointSetTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_node_that_has_failed_is_asked_beside_the_calls_and_gets_them_again_only_when_it_has_answered(bool isWell)
    {
        var time = new ManualTime();
        await using var first = await FakeServer.StartAsync();
        await using var second = await FakeServer.StartAsync();
        await using var nodes = new EndpointSet(
            [new Uri($"http://{first.Address}"), new Uri($"http://{second.Address}")], new ReplicatedSqliteClientOptions { Channel = new GrpcChannelOptions { TimeProvider = time } });
        await nodes.ReadyAsync(CancellationToken.None).AsTask().WaitAsync(_patience);
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (nodes.Pick() is var picked && (picked.Address.Authority != first.Address || picked.RoundTripTicks == long.MaxValue)) await WaitAsync("The first node was not measured."); // as far as the other, and named first
        var node = nodes.Pick();

        if (!isWell) await first.AbortAsync();
        node.Failed();
        Assert.NotEqual(node, nodes.Pick());
        var pausedUntil = node.PausedUntil;
        time.Advance(TimeSpan.FromSeconds(1)); // its pause is over
        Assert.NotEqual(node, nodes.Pick());
        while (node.PausedUntil == pausedUntil) await WaitAsync("It was not asked again.");
        Assert.Equal(isWell, node.IsHealthy);
        Assert.Equal(isWell, nodes.Pick() == node);

        async Task WaitAsync(string what)
        {
            Assert.True(waited.Elapsed < _patience, what);
            await Task.Delay(5);
        }
    }
}
