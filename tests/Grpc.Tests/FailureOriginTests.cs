using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>Whether a call that failed may have been carried out: a write that was surely not is simply made again, any other is "outcome unknown".</summary>
public sealed class FailureOriginTests
{
    private const int NoError = 0, RefusedStream = 7, EnhanceYourCalm = 0xb;

    public static TheoryData<string, Func<int, byte[]>, StatusCode, RpcFailureOrigin> Ends => new()
    {
        { "GOAWAY, the stream was not looked at", _ => RawHttp2Server.GoAway(0, EnhanceYourCalm), StatusCode.Unavailable, RpcFailureOrigin.NotSent },
        { "the same of a server that stops", _ => RawHttp2Server.GoAway(0, NoError), StatusCode.Unavailable, RpcFailureOrigin.NotSent },
        { "the stream refused", stream => [.. RawHttp2Server.Reset(stream, RefusedStream), .. RawHttp2Server.GoAway(0, NoError)], StatusCode.Unavailable, RpcFailureOrigin.NotSent },
        { "GOAWAY, the stream was looked at", stream => RawHttp2Server.GoAway(stream, EnhanceYourCalm), StatusCode.ResourceExhausted, RpcFailureOrigin.InFlight },
        { "the same of a server that stops", stream => RawHttp2Server.GoAway(stream, NoError), StatusCode.Unavailable, RpcFailureOrigin.InFlight },
        { "the stream reset for its load", stream => RawHttp2Server.Reset(stream, EnhanceYourCalm), StatusCode.ResourceExhausted, RpcFailureOrigin.InFlight },
        { "hung up after the request", _ => [], StatusCode.Unavailable, RpcFailureOrigin.InFlight },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_call_is_told_as_not_sent_only_where_no_server_can_have_acted_on_it(string what, Func<int, byte[]> answer, StatusCode status, RpcFailureOrigin origin)
    {
        await using var server = new RawHttp2Server(answer);
        await using var channel = new GrpcChannel(server.Address);
        var unary = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest()).WaitAsync(TestTimeouts.Long));
        var requests = server.Requests;
        var stream = await Assert.ThrowsAsync<RpcException>(async () => await channel.OpenServerStream(TestMethods.StreamingOutput, new StreamingOutputCallRequest()).ToArrayAsync());
        Assert.All([unary, stream], e => Assert.True((e.StatusCode, e.Origin) == (status, origin), $"{what}: {e.StatusCode}, {e.Origin}: {e.Detail}"));
        if (origin == RpcFailureOrigin.InFlight) Assert.Equal(1, requests); // never made again
    }

    [Fact]
    public async Task A_duplex_call_that_was_turned_away_was_not_sent()
    {
        await using var server = new RawHttp2Server(_ => RawHttp2Server.GoAway(0, EnhanceYourCalm));
        await using var channel = new GrpcChannel(server.Address);
        await using var call = channel.OpenDuplex(TestMethods.FullDuplex);
        await call.WriteAsync(new StreamingOutputCallRequest());
        await call.CompleteAsync();
        var read = await Assert.ThrowsAsync<RpcException>(async () => await call.Responses.ToArrayAsync());
        Assert.Equal((StatusCode.Unavailable, RpcFailureOrigin.NotSent), (read.StatusCode, read.Origin));
    }
}
