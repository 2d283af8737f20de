using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class CancellationTests : IAsyncLifetime
{
    private static readonly GrpcMethod<Int32Value, Int32Value> Unary = new("test.Cancel", "Unary", MethodKind.Unary);
    private static readonly GrpcMethod<Int32Value, Int32Value> Stream = new("test.Cancel", "Stream", MethodKind.ServerStreaming);
    private static readonly GrpcMethod<Int32Value, Int32Value> Duplex = new("test.Cancel", "Duplex", MethodKind.Duplex);

    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GrpcTestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await GrpcTestServer.StartAsync(services => services
        .MapUnary(Unary, async (request, context) =>
        {
            if (request.Value != 0) return request;
            await WaitForEndAsync(() => Task.Delay(Timeout.Infinite, context.CancellationToken));
            return request;
        })
        .MapServerStreaming(Stream, async (request, responses, context) =>
        {
            await responses.WriteAsync(request);
            await WaitForEndAsync(() => Task.Delay(Timeout.Infinite, context.CancellationToken));
        })
        .MapDuplex(Duplex, async (requests, responses, context) => await WaitForEndAsync(async () =>
        {
            await foreach (var request in requests) await responses.WriteAsync(request);
        })));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Cancelling_a_unary_call_cancels_its_handler()
    {
        await using var channel = _server.Connect();
        using var cancel = new CancellationTokenSource();
        var call = channel.CallAsync(Unary, new Int32Value(), cancellationToken: cancel.Token);
        await _started.Task.WaitAsync(TestTimeouts.Long);
        await cancel.CancelAsync();
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, e.CancellationToken);
        await AssertHandlerCancelledAsync(channel);
    }

    [Fact]
    public async Task Disposing_a_stream_cancels_its_handler()
    {
        await using var channel = _server.Connect();
        await using (var stream = channel.OpenServerStream(Stream, new Int32Value { Value = 3 }))
            Assert.Equal(3, (await stream.FirstAsync()).Value);
        await AssertHandlerCancelledAsync(channel);
    }

    [Fact]
    public async Task Disposing_a_duplex_call_ends_the_requests_its_handler_reads()
    {
        await using var channel = _server.Connect();
        await using (var call = channel.OpenDuplex(Duplex)) await call.WriteAsync(new Int32Value());
        await AssertHandlerCancelledAsync(channel);
    }

    [Fact]
    public async Task A_client_that_vanishes_mid_call_leaves_the_server_healthy()
    {
        await using (var vanishing = _server.Connect())
        {
            var call = vanishing.CallAsync(Unary, new Int32Value());
            await _started.Task.WaitAsync(TestTimeouts.Long);
            await vanishing.DisposeAsync();
            var e = await Assert.ThrowsAsync<RpcException>(() => call);
            Assert.Equal(RpcFailureOrigin.InFlight, e.Origin);
        }

        await using var other = _server.Connect();
        await AssertHandlerCancelledAsync(other);
    }

    [Fact]
    public async Task A_read_that_waits_ends_when_its_call_is_disposed_elsewhere()
    {
        await using var channel = _server.Connect();
        var call = channel.OpenDuplex(Duplex);
        await using var responses = call.Responses.GetAsyncEnumerator();
        var read = responses.MoveNextAsync().AsTask();
        await _started.Task.WaitAsync(TestTimeouts.Long);
        await call.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await AssertHandlerCancelledAsync(channel);
    }

    private async Task WaitForEndAsync(Func<Task> wait)
    {
        _started.TrySetResult();
        try
        {
            await wait();
        }
        catch (Exception e)
        {
            _ended.TrySetResult(e);
            throw;
        }
    }

    private async Task AssertHandlerCancelledAsync(GrpcChannel channel)
    {
        Assert.IsAssignableFrom<OperationCanceledException>(await _ended.Task.WaitAsync(TestTimeouts.Long));
        Assert.Equal(1, (await channel.CallAsync(Unary, new Int32Value { Value = 1 })).Value);
    }
}
