using global::Grpc.Health.V1;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ServingStatus = global::Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class HealthTests
{
    private static readonly GrpcMethod<HealthCheckRequest, HealthCheckResponse> Check = new("grpc.health.v1.Health", "Check", MethodKind.Unary);
    private static readonly GrpcMethod<HealthCheckRequest, HealthCheckResponse> Watch = new("grpc.health.v1.Health", "Watch", MethodKind.ServerStreaming);

    [Fact]
    public async Task Check_tells_the_status_of_known_services()
    {
        var health = new HealthService();
        health.Set("a", serving: false);
        await using var server = await GrpcTestServer.StartAsync(health.MapTo);
        await using var channel = server.Connect();
        Assert.Equal(ServingStatus.Serving, (await channel.CallAsync(Check, new HealthCheckRequest())).Status);
        Assert.Equal(ServingStatus.NotServing, (await channel.CallAsync(Check, new HealthCheckRequest { Service = "a" })).Status);
        var e = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(Check, new HealthCheckRequest { Service = "b" }));
        Assert.Equal(StatusCode.NotFound, e.StatusCode);
    }

    [Fact]
    public async Task Watch_tells_each_change()
    {
        var health = new HealthService();
        await using var server = await GrpcTestServer.StartAsync(health.MapTo);
        await using var channel = server.Connect();
        await using var watch = channel.OpenServerStream(Watch, new HealthCheckRequest { Service = "a" });
        await using var statuses = watch.GetAsyncEnumerator();
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync());
        health.Set("a", serving: true);
        Assert.Equal(ServingStatus.Serving, await NextAsync());
        health.Set("b", serving: true);
        health.Set("a", serving: false);
        Assert.Equal(ServingStatus.NotServing, await NextAsync());

        async Task<ServingStatus> NextAsync()
        {
            Assert.True(await statuses.MoveNextAsync().AsTask().WaitAsync(TestTimeouts.Long));
            return statuses.Current.Status;
        }
    }
}
