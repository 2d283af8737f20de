using Google.Protobuf.WellKnownTypes;
using global::Grpc.Health.V1;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ServingStatus = global::Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class DrainTests : IAsyncLifetime
{
    private static readonly GrpcMethod<Int32Value, Int32Value> Unary = new("test.Drain", "Unary", MethodKind.Unary);
    private static readonly GrpcMethod<Int32Value, Int32Value> Duplex = new("test.Drain", "Duplex", MethodKind.Duplex);
    private static readonly GrpcMethod<Int32Value, Int32Value> Endless = new("test.Drain", "Endless", MethodKind.Duplex) { IsEndless = true };
    private static readonly GrpcMethod<HealthCheckRequest, HealthCheckResponse> Check = new("grpc.health.v1.Health", "Check", MethodKind.Unary);
    private static readonly GrpcMethod<HealthCheckRequest, HealthCheckResponse> Watch = new("grpc.health.v1.Health", "Watch", MethodKind.ServerStreaming);

    private readonly TaskCompletionSource _unaryStarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HealthService _health = new();
    private GrpcTestServer _server = null!;
    private GrpcChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcTestServer.StartAsync(services =>
        {
            _health.MapTo(services);
            services
                .MapUnary(Unary, async (request, _) =>
                {
                    _unaryStarted.TrySetResult();
                    await _release.Task;
                    return request;
                })
                .MapDuplex(Duplex, EchoAsync)
                .MapDuplex(Endless, EchoAsync)
                .MapUnary(QueryMethods.Execute, (_, _) => new ValueTask<ExecuteResponse>(new ExecuteResponse()));
        });
        _channel = _server.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        await _channel.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Calls_under_way_end_as_they_would_and_the_stop_does_not_wait_longer_than_for_them()
    {
        var unary = _channel.CallAsync(Unary, new Int32Value { Value = 7 });
        await _unaryStarted.Task.WaitAsync(TestTimeouts.Long);
        await using var duplex = await OpenAsync(Duplex);
        await using var responses = duplex.Responses.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        var stop = _server.StopAsync(TimeSpan.FromMinutes(10));
        await duplex.WriteAsync(new Int32Value { Value = 2 });
        await duplex.CompleteAsync();
        Assert.True(await responses.MoveNextAsync());
        Assert.Equal(2, responses.Current.Value);
        Assert.False(await responses.MoveNextAsync());
        Assert.False(stop.IsCompleted);
        _release.SetResult();
        Assert.Equal(7, (await unary).Value);
        await stop.WaitAsync(TestTimeouts.Long);
    }

    [Fact]
    public async Task A_stream_that_does_not_end_in_time_is_ended_as_unavailable()
    {
        await using var duplex = await OpenAsync(Duplex);
        await using var responses = duplex.Responses.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        var stop = _server.StopAsync(TimeSpan.FromMilliseconds(100));
        await AssertUnavailableAsync(async () => await responses.MoveNextAsync());
        await stop.WaitAsync(TestTimeouts.Long);
    }

    [Fact]
    public async Task An_endless_stream_is_ended_at_once()
    {
        await using var endless = await OpenAsync(Endless);
        await using var responses = endless.Responses.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        var stop = _server.StopAsync(TimeSpan.FromMinutes(10));
        await AssertUnavailableAsync(async () => await responses.MoveNextAsync());
        await stop.WaitAsync(TestTimeouts.Long);
    }

    [Fact]
    public async Task New_calls_are_refused_with_nothing_done_while_health_tells_that_nothing_is_served()
    {
        await using var duplex = await OpenAsync(Duplex); // holds the stop up
        await using var responses = duplex.Responses.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        await using var watch = _channel.OpenServerStream(Watch, new HealthCheckRequest());
        await using var statuses = watch.GetAsyncEnumerator();
        Assert.True(await statuses.MoveNextAsync());
        Assert.Equal(ServingStatus.Serving, statuses.Current.Status);

        _health.Stop();
        var drain = _server.Drain!.BeginAsync(TimeSpan.FromMinutes(10), TimeProvider.System); // the ports stay open, so that the refusals can be seen
        Assert.True(await statuses.MoveNextAsync());
        Assert.Equal(ServingStatus.NotServing, statuses.Current.Status);
        await AssertUnavailableAsync(async () => await statuses.MoveNextAsync());
        Assert.Equal(ServingStatus.NotServing, (await _channel.CallAsync(Check, new HealthCheckRequest())).Status);

        await AssertUnavailableAsync(() => _channel.CallAsync(Unary, new Int32Value()));
        await using var late = _channel.OpenDuplex(Duplex);
        await AssertUnavailableAsync(async () => await late.Responses.ToArrayAsync());
        var e = await AssertUnavailableAsync(() => _channel.CallAsync(QueryMethods.Execute, new ExecuteRequest()));
        var error = e.FindDetail<SqlError>()!;
        Assert.Equal((ErrorCodes.NoPrimary, CommitState.NotCommitted, true), (error.Code, error.CommitState, error.Retryable));
        Assert.False(drain.IsCompleted);
        await duplex.CompleteAsync();
        Assert.False(await responses.MoveNextAsync());
        await drain.WaitAsync(TestTimeouts.Long);
    }

    [Fact]
    public async Task Connections_are_told_to_go_away_and_new_ones_are_not_taken()
    {
        await using (await OpenAsync(Duplex))
        {
            var stop = _server.StopAsync(TimeSpan.FromMilliseconds(100));
            await stop.WaitAsync(TestTimeouts.Long);
        }

        await AssertUnavailableAsync(() => _channel.CallAsync(Unary, new Int32Value())); // sent or not, as the client has read the GOAWAY or not yet
        await using var fresh = _server.Connect();
        var e = await AssertUnavailableAsync(() => fresh.CallAsync(Unary, new Int32Value()));
        Assert.Equal(RpcFailureOrigin.NotSent, e.Origin);
    }

    private static async ValueTask EchoAsync(IAsyncEnumerable<Int32Value> requests, IResponseWriter<Int32Value> responses, ServerCallContext context)
    {
        await foreach (var request in requests) await responses.WriteAsync(request);
    }

    private static async Task<RpcException> AssertUnavailableAsync(Func<Task> call)
    {
        var e = await Assert.ThrowsAsync<RpcException>(() => call().WaitAsync(TestTimeouts.Long));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        return e;
    }

    private async Task<DuplexCall<Int32Value, Int32Value>> OpenAsync(GrpcMethod<Int32Value, Int32Value> method)
    {
        var call = _channel.OpenDuplex(method);
        await call.WriteAsync(new Int32Value { Value = 1 });
        return call;
    }
}
