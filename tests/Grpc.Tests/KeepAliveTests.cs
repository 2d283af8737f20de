using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>A peer that is there no more, over a connection that nobody closed.</summary>
public sealed class KeepAliveTests
{
    private static readonly GrpcMethod<Int32Value, Int32Value> Stream = new("test.KeepAlive", "Stream", MethodKind.ServerStreaming);
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1); // the least that either side takes
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_client_finds_a_dead_server_and_its_calls_fail_as_unavailable()
    {
        await using var server = await StartAsync(Never, new TaskCompletionSource());
        await using var proxy = new BlackHoleProxy(server.Address);
        await using var channel = new GrpcChannel(proxy.Address, new GrpcChannelOptions { KeepAlivePingDelay = Short, KeepAlivePingTimeout = Short });
        await using var stream = channel.OpenServerStream(Stream, new Int32Value { Value = 7 });
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        proxy.Swallow();
        var e = await Assert.ThrowsAsync<RpcException>(async () => await responses.MoveNextAsync().AsTask().WaitAsync(TestTimeouts.Long));
        Assert.Equal((StatusCode.Unavailable, RpcFailureOrigin.InFlight), (e.StatusCode, e.Origin));
    }

    [Fact]
    public async Task A_server_finds_a_dead_client_and_cancels_its_calls()
    {
        var cancelled = new TaskCompletionSource();
        await using var server = await StartAsync(Short, cancelled);
        await using var proxy = new BlackHoleProxy(server.Address);
        await using var channel = new GrpcChannel(proxy.Address, new GrpcChannelOptions { KeepAlivePingDelay = Never });
        await using var stream = channel.OpenServerStream(Stream, new Int32Value { Value = 7 });
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        proxy.Swallow();
        await cancelled.Task.WaitAsync(TestTimeouts.Long);
    }

    [Fact]
    public async Task A_silent_but_living_peer_is_left_alone()
    {
        var cancelled = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var server = await StartAsync(Short, cancelled, release.Task);
        await using var proxy = new BlackHoleProxy(server.Address);
        await using var channel = new GrpcChannel(proxy.Address, new GrpcChannelOptions { KeepAlivePingDelay = Short, KeepAlivePingTimeout = Short });
        await using var dead = new BlackHoleProxy(server.Address);
        await using var other = new GrpcChannel(dead.Address, new GrpcChannelOptions { KeepAlivePingDelay = Never });
        await using var living = channel.OpenServerStream(Stream, new Int32Value { Value = 1 });
        await using var lost = other.OpenServerStream(Stream, new Int32Value { Value = 7 });
        await using var responses = living.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        await using var last = lost.GetAsyncEnumerator();
        Assert.True(await last.MoveNextAsync());
        dead.Swallow();
        await cancelled.Task.WaitAsync(TestTimeouts.Long); // the dead one is found: several pings of the living one have gone by
        release.SetResult();
        Assert.False(await responses.MoveNextAsync().AsTask().WaitAsync(TestTimeouts.Long));
    }

    // A request of 7 waits for its end and tells of it; others wait to be released.
    private static Task<GrpcTestServer> StartAsync(TimeSpan ping, TaskCompletionSource cancelled, Task? release = null) => GrpcTestServer.StartAsync(
        services => services.MapServerStreaming(Stream, async (request, responses, context) =>
        {
            await responses.WriteAsync(request);
            if (request.Value != 7)
            {
                await release!;
                return;
            }

            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                cancelled.TrySetResult();
            }
        }),
        limits: new GrpcConnectionLimits { KeepAlivePingDelay = ping, KeepAlivePingTimeout = Short });
}
