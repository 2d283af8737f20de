using System.Text;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class ConnectionLimitTests
{
    private static readonly GrpcMethod<Int32Value, Int32Value> Echo = new("test.Limits", "Echo", MethodKind.Unary);
    private static readonly GrpcMethod<Int32Value, Int32Value> Duplex = new("test.Limits", "Duplex", MethodKind.Duplex);

    [Fact]
    public async Task A_connection_too_many_is_told_to_go_away_and_the_others_are_served()
    {
        await using var server = await StartAsync(new GrpcConnectionLimits { MaxConnections = 2 });
        var first = server.Connect();
        await using var second = server.Connect();
        Assert.Equal(1, (await first.CallAsync(Echo, new Int32Value { Value = 1 })).Value);
        Assert.Equal(2, (await second.CallAsync(Echo, new Int32Value { Value = 2 })).Value);

        await using var third = server.Connect();
        for (var i = 0; i < 50; i++)
        {
            var e = await Assert.ThrowsAsync<RpcException>(() => third.CallAsync(Echo, new Int32Value { Value = 3 }).WaitAsync(TestTimeouts.Long));
            Assert.True((e.StatusCode, e.Origin) == (StatusCode.Unavailable, RpcFailureOrigin.NotSent), e.ToString());
        }

        using (var raw = await RawHttp2.ConnectAsync(server.Address))
        {
            await raw.SendAsync(RawHttp2.Preface);
            Assert.Contains("Too many connections.", Encoding.Latin1.GetString(await raw.EndAsync().WaitAsync(TestTimeouts.Long)), StringComparison.Ordinal);
        }

        Assert.Equal(2, (await second.CallAsync(Echo, new Int32Value { Value = 2 })).Value);

        await first.DisposeAsync();
        using var patience = new CancellationTokenSource(TestTimeouts.Long);
        while (true) // until the server has seen the first one go
        {
            try
            {
                Assert.Equal(4, (await third.CallAsync(Echo, new Int32Value { Value = 4 }, cancellationToken: patience.Token)).Value);
                break;
            }
            catch (RpcException)
            {
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task A_stream_too_many_on_a_connection_waits_for_its_turn()
    {
        await using var server = await StartAsync(new GrpcConnectionLimits { MaxStreamsPerConnection = 2 });
        await using var channel = server.Connect(new GrpcChannelOptions { ConfigureHandler = handler => handler.EnableMultipleHttp2Connections = false });
        var open = Enumerable.Range(0, 2).Select(_ => channel.OpenDuplex(Duplex)).ToArray();
        foreach (var call in open)
        {
            await call.WriteAsync(new Int32Value { Value = 1 });
            await call.ReadHeadersAsync(); // both are at the server
        }

        var waiting = channel.CallAsync(Echo, new Int32Value { Value = 3 });
        await using (var other = server.Connect()) Assert.Equal(4, (await other.CallAsync(Echo, new Int32Value { Value = 4 })).Value);
        Assert.False(waiting.IsCompleted);
        await open[0].DisposeAsync();
        Assert.Equal(3, (await waiting.WaitAsync(TestTimeouts.Long)).Value);
        await open[1].DisposeAsync();
    }

    [Fact]
    public async Task Headers_beyond_the_limit_fail_their_own_call_alone()
    {
        await using var server = await StartAsync(new GrpcConnectionLimits { MaxHeaderBytes = 4096 });
        await using var channel = server.Connect();
        Assert.Equal(1, (await channel.CallAsync(Echo, new Int32Value { Value = 1 })).Value);
        var headers = new Metadata();
        headers.Add("x-large", new string('x', 8000));
        await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(Echo, new Int32Value(), new CallOptions { Headers = headers }).WaitAsync(TestTimeouts.Long));
        Assert.Equal(2, (await channel.CallAsync(Echo, new Int32Value { Value = 2 })).Value);
    }

    private static Task<GrpcTestServer> StartAsync(GrpcConnectionLimits limits) => GrpcTestServer.StartAsync(
        services => services
            .MapUnary(Echo, (request, _) => new ValueTask<Int32Value>(request))
            .MapDuplex(Duplex, async (requests, responses, _) =>
            {
                await foreach (var request in requests) await responses.WriteAsync(request);
            }),
        limits: limits);
}
