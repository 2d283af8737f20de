using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class StreamingTests
{
    private static readonly GrpcMethod<Int32Value, Int32Value> Count = new("test.Streams", "Count", MethodKind.ServerStreaming);
    private static readonly GrpcMethod<Int32Value, Int64Value> Sum = new("test.Streams", "Sum", MethodKind.ClientStreaming);
    private static readonly GrpcMethod<Int32Value, Int32Value> Double = new("test.Streams", "Double", MethodKind.Duplex);
    private static readonly GrpcMethod<Int32Value, BytesValue> Blocks = new("test.Streams", "Blocks", MethodKind.ServerStreaming);

    [Fact]
    public async Task A_server_stream_arrives_in_order()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapServerStreaming(Count, async (request, responses, _) =>
        {
            for (var i = 0; i < request.Value; i++) await responses.WriteAsync(new Int32Value { Value = i });
        }));
        await using var channel = server.Connect();
        await using var stream = channel.OpenServerStream(Count, new Int32Value { Value = 20_000 });
        Assert.Equal(Enumerable.Range(0, 20_000), await stream.Select(response => response.Value).ToArrayAsync());
    }

    [Fact]
    public async Task A_client_stream_is_answered_after_its_end()
    {
        await using var server = await StartSumAsync(stopAfter: int.MaxValue);
        await using var channel = server.Connect();
        var sum = await channel.CallAsync(Sum, Enumerable.Range(1, 10_000).Select(i => new Int32Value { Value = i }).ToAsyncEnumerable());
        Assert.Equal(50_005_000, sum.Value);
    }

    [Fact]
    public async Task A_server_may_answer_before_the_client_stream_ends()
    {
        await using var server = await StartSumAsync(stopAfter: 3);
        await using var channel = server.Connect();
        var sum = await channel.CallAsync(Sum, Endless());
        Assert.Equal(3, sum.Value);

        static async IAsyncEnumerable<Int32Value> Endless()
        {
            while (true)
            {
                await Task.Yield();
                yield return new Int32Value { Value = 1 };
            }
        }
    }

    [Fact]
    public async Task Both_directions_of_a_duplex_call_flow_at_the_same_time()
    {
        await using var server = await StartDoubleAsync();
        await using var channel = server.Connect();
        await using var call = channel.OpenDuplex(Double);
        var writing = WriteAsync();
        Assert.Equal(Enumerable.Range(0, 20_000).Select(i => 2 * i), await call.Responses.Select(response => response.Value).ToArrayAsync());
        await writing;

        async Task WriteAsync()
        {
            for (var i = 0; i < 20_000; i++) await call.WriteAsync(new Int32Value { Value = i });
            await call.CompleteAsync();
        }
    }

    [Fact]
    public async Task More_duplex_calls_are_open_at_once_than_one_connection_of_a_small_server_carries()
    {
        await using var server = await GrpcTestServer.StartAsync(MapDouble, kestrel: kestrel => kestrel.Limits.Http2.MaxStreamsPerConnection = 100);
        await using var channel = server.Connect();
        var calls = Enumerable.Range(0, 250).Select(_ => channel.OpenDuplex(Double)).ToArray();
        foreach (var call in calls) await call.WriteAsync(new Int32Value { Value = 21 });
        foreach (var call in calls)
        {
            Assert.Equal(42, await call.Responses.Select(response => response.Value).FirstAsync());
            await call.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_client_that_does_not_read_stops_the_server_and_only_that_stream()
    {
        const int BlockBytes = 256 * 1024;
        var written = 0;
        var stalled = new TaskCompletionSource();
        await using var server = await GrpcTestServer.StartAsync(services => services.MapServerStreaming(Blocks, async (request, responses, _) =>
        {
            for (var i = 0; i < request.Value; i++)
            {
                var write = responses.WriteAsync(new BytesValue { Value = TestMethods.PayloadOf(BlockBytes).Body });
                if (i > 4 && !write.IsCompleted && Volatile.Read(ref written) == i) stalled.TrySetResult();
                await write;
                Interlocked.Increment(ref written);
            }
        }));
        await using var channel = server.Connect();
        await using var slow = channel.OpenServerStream(Blocks, new Int32Value { Value = 400 });
        await stalled.Task.WaitAsync(TestTimeouts.Long);

        await using (var other = channel.OpenServerStream(Blocks, new Int32Value { Value = 4 }))
            Assert.Equal(4, await other.CountAsync());
        Assert.InRange(Volatile.Read(ref written), 1, 4 + (32 * 1024 * 1024 / BlockBytes)); // far from the 400 that were asked for
        Assert.Equal(400, await slow.CountAsync());
    }

    [Fact]
    public async Task An_error_after_some_responses_comes_after_them()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapServerStreaming(Count, async (request, responses, _) =>
        {
            await responses.WriteAsync(request);
            throw new RpcException(StatusCode.DataLoss, "page 7 is damaged");
        }));
        await using var channel = server.Connect();
        await using var stream = channel.OpenServerStream(Count, new Int32Value { Value = 5 });
        await using var responses = stream.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        var e = await Assert.ThrowsAsync<RpcException>(async () => await responses.MoveNextAsync());
        Assert.Equal(new GrpcStatus(StatusCode.DataLoss, "page 7 is damaged"), e.Status);
        Assert.False(await responses.MoveNextAsync());
    }

    [Fact]
    public async Task Responses_are_enumerated_once_only()
    {
        await using var server = await StartDoubleAsync();
        await using var channel = server.Connect();
        await using var call = channel.OpenDuplex(Double);
        await call.CompleteAsync();
        Assert.Empty(await call.Responses.ToArrayAsync());
        Assert.Throws<InvalidOperationException>(() => call.Responses.GetAsyncEnumerator());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await call.WriteAsync(new Int32Value()));
    }

    [Fact]
    public async Task A_write_to_a_call_that_the_server_ended_fails_and_the_status_comes_with_the_responses()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapDuplex(
            Double, (_, _, _) => throw new RpcException(StatusCode.Aborted, "expired")));
        await using var channel = server.Connect();
        await using var call = channel.OpenDuplex(Double);
        var e = await Assert.ThrowsAsync<RpcException>(async () => await call.Responses.ToArrayAsync());
        Assert.Equal(StatusCode.Aborted, e.StatusCode);
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            for (var i = 0; i < 100; i++) await call.WriteAsync(new Int32Value { Value = i });
        });
    }

    private static Task<GrpcTestServer> StartDoubleAsync() => GrpcTestServer.StartAsync(MapDouble);

    private static void MapDouble(Server.GrpcServices services) => services.MapDuplex(Double, async (requests, responses, _) =>
    {
        await foreach (var request in requests) await responses.WriteAsync(new Int32Value { Value = 2 * request.Value });
    });

    private static Task<GrpcTestServer> StartSumAsync(int stopAfter) => GrpcTestServer.StartAsync(services => services.MapClientStreaming(
        Sum, async (requests, _) => new Int64Value { Value = await requests.Take(stopAfter).Select(request => (long)request.Value).SumAsync() }));
}
