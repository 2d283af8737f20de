using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class DeadlineTests
{
    private static readonly GrpcMethod<Int32Value, Int32Value> Unary = new("test.Deadlines", "Unary", MethodKind.Unary);
    private static readonly GrpcMethod<Int32Value, BytesValue> Flood = new("test.Deadlines", "Flood", MethodKind.ServerStreaming);

    [Fact]
    public async Task A_deadline_ends_the_call_on_both_sides()
    {
        var cancelled = new TaskCompletionSource();
        await using var server = await GrpcTestServer.StartAsync(services => services.MapUnary(Unary, async (request, context) =>
        {
            if (request.Value == 1) return request;
            context.CancellationToken.Register(cancelled.SetResult);
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return request;
        }));
        await using var channel = server.Connect();
        await channel.CallAsync(Unary, new Int32Value { Value = 1 }); // connecting for the first time may take longer than the deadline below
        var e = await Assert.ThrowsAsync<RpcException>(
            () => channel.CallAsync(Unary, new Int32Value(), new CallOptions { Timeout = TimeSpan.FromMilliseconds(50) }));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
        await cancelled.Task.WaitAsync(TestTimeouts.Long);
    }

    [Fact]
    public async Task A_server_answers_by_itself_when_the_deadline_passes()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapUnary(Unary, async (request, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return request;
        }));
        using var raw = new RawClient(server.Address);
        var answer = await raw.PostAsync(Unary.FullName, RawClient.Frame([]), ("grpc-timeout", "20m"));
        Assert.Equal("4", answer.Status);
    }

    [Fact]
    public async Task A_server_sees_how_much_time_is_left()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapUnary(
            Unary, (_, context) => new ValueTask<Int32Value>(new Int32Value { Value = (int)(context.Remaining?.TotalMilliseconds ?? -1) })));
        await using var channel = server.Connect();
        Assert.Equal(-1, (await channel.CallAsync(Unary, new Int32Value())).Value);
        var left = await channel.CallAsync(Unary, new Int32Value(), new CallOptions { Timeout = TimeSpan.FromSeconds(60) });
        Assert.InRange(left.Value, 30_000, 60_000);
    }

    [Fact]
    public async Task A_timeout_that_is_over_already_fails_without_a_call()
    {
        var calls = 0;
        await using var server = await GrpcTestServer.StartAsync(services => services.MapUnary(Unary, (request, _) =>
        {
            calls++;
            return new ValueTask<Int32Value>(request);
        }));
        await using var channel = server.Connect();
        var e = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(Unary, new Int32Value(), new CallOptions { Timeout = TimeSpan.Zero }));
        Assert.Equal((StatusCode.DeadlineExceeded, 0), (e.StatusCode, calls));
    }

    [Fact]
    public async Task A_deadline_frees_a_handler_whose_client_does_not_read()
    {
        var ended = new TaskCompletionSource<Exception?>();
        await using var server = await GrpcTestServer.StartAsync(services => services.MapServerStreaming(Flood, async (_, responses, _) =>
        {
            try
            {
                while (true) await responses.WriteAsync(new BytesValue { Value = TestMethods.PayloadOf(1 << 20).Body });
            }
            catch (Exception e)
            {
                ended.SetResult(e);
                throw;
            }
        }));
        using var raw = new RawClient(server.Address);
        using var response = await raw.SendAsync(Flood.FullName, RawClient.Frame([]), ("grpc-timeout", "200m"));
        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task.WaitAsync(TestTimeouts.Long));
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("-5m")]
    [InlineData("5x")]
    [InlineData("123456789m")]
    public async Task A_malformed_timeout_is_refused(string value)
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapUnary(Unary, (request, _) => new ValueTask<Int32Value>(request)));
        using var raw = new RawClient(server.Address);
        Assert.Equal("13", (await raw.PostAsync(Unary.FullName, RawClient.Frame([]), ("grpc-timeout", value))).Status);
    }
}
