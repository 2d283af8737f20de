using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class CompressionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Responses_are_compressed_for_those_who_ask(bool ask)
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapTestService(), new GrpcServerOptions { GzipResponsesFromBytes = 1000 });
        await using var channel = server.Connect(new GrpcChannelOptions { AcceptGzip = ask, MaxMessageBytes = 200_000 });
        var response = await channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest { ResponseSize = 100_000 });
        Assert.Equal(TestMethods.PayloadOf(100_000), response.Payload);

        using var raw = new RawClient(server.Address);
        var answer = await raw.PostAsync(
            TestMethods.UnaryCall.FullName,
            RawClient.Frame([0x10, 0xa0, 0x8d, 0x06]), // response_size = 100,000
            ask ? [("grpc-accept-encoding", "identity, gzip")] : []);
        Assert.Equal((ask ? 1 : 0, ask), (answer.Body[0], answer.Body.Length < 10_000));

        var e = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest { ResponseSize = 300_000 }));
        Assert.Equal(StatusCode.ResourceExhausted, e.StatusCode);
    }

    [Fact]
    public async Task Requests_above_http_limits_pass_where_the_server_allows_them()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapTestService(), new GrpcServerOptions { MaxRequestBytes = 64 << 20 });
        await using var channel = server.Connect();
        Assert.NotNull(await channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest { Payload = TestMethods.PayloadOf(40_000_000) }));
    }
}
