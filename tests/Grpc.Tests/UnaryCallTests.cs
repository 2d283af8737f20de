using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class UnaryCallTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(271_828, 314_159)]
    [InlineData(15_000_000, 20_000_000)]
    public async Task A_call_carries_messages_of_any_size(int requestBytes, int responseBytes)
    {
        await using var server = await GrpcTestServer.StartInteropAsync();
        await using var channel = server.Connect();
        var response = await channel.CallAsync(
            TestMethods.UnaryCall, new SimpleRequest { ResponseSize = responseBytes, Payload = TestMethods.PayloadOf(requestBytes) });
        Assert.Equal(responseBytes, response.Payload.Body.Length);
    }

    [Fact]
    public async Task Many_callers_share_a_channel()
    {
        await using var server = await GrpcTestServer.StartInteropAsync();
        await using var channel = server.Connect();
        var sizes = Enumerable.Range(0, 2000).ToArray();
        var responses = await Task.WhenAll(sizes.Select(size => channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest { ResponseSize = size })));
        Assert.Equal(sizes, responses.Select(response => response.Payload.Body.Length));
    }

    [Fact]
    public async Task A_refused_connection_is_unavailable_and_not_sent()
    {
        Uri address;
        await using (var server = await GrpcTestServer.StartInteropAsync()) address = server.Address;
        await using var channel = new GrpcChannel(address);
        var e = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(TestMethods.EmptyCall, new Empty()));
        Assert.Equal((StatusCode.Unavailable, RpcFailureOrigin.NotSent), (e.StatusCode, e.Origin));
    }
}
