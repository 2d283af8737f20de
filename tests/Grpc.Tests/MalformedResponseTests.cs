using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class MalformedResponseTests
{
    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(302, StatusCode.Unknown)]
    public async Task An_http_error_becomes_a_status(int httpStatus, StatusCode expected)
    {
        var e = await CallAsync(http =>
        {
            http.Response.StatusCode = httpStatus;
            return Task.CompletedTask;
        });
        Assert.Equal(expected, e.StatusCode);
    }

    [Fact]
    public async Task Content_that_is_not_grpc_is_unknown() => Assert.Equal(StatusCode.Unknown, (await CallAsync(http =>
    {
        http.Response.ContentType = "text/html";
        return http.Response.WriteAsync("<h1>Welcome</h1>");
    })).StatusCode);

    [Fact]
    public async Task A_response_without_a_status_is_unknown() =>
        Assert.Equal(StatusCode.Unknown, (await CallAsync(http => AnswerAsync(http, RawClient.Frame([]), null))).StatusCode);

    public static TheoryData<byte[], string, StatusCode> Bodies => new()
    {
        { [0, 0, 0], "0", StatusCode.Internal },
        { RawClient.Frame([], announced: 10), "0", StatusCode.Internal },
        { RawClient.Frame([], flag: 3), "0", StatusCode.Internal },
        { RawClient.Frame([], flag: 1), "0", StatusCode.Internal },
        { RawClient.Frame([0xff, 0xff]), "0", StatusCode.Internal },
        { RawClient.Frame([], announced: 1_000_001), "0", StatusCode.ResourceExhausted },
        { RawClient.Frame([], announced: -1), "0", StatusCode.ResourceExhausted },
        { [], "0", StatusCode.Unimplemented },
        { [.. RawClient.Frame([]), .. RawClient.Frame([])], "0", StatusCode.Unimplemented },
        { RawClient.Frame([]), "9", StatusCode.FailedPrecondition },
        { RawClient.Frame([]), "99", StatusCode.Unknown },
        { RawClient.Frame([]), "x", StatusCode.Unknown },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_that_is_no_response_becomes_a_status(byte[] body, string status, StatusCode expected) =>
        Assert.Equal(expected, (await CallAsync(http => AnswerAsync(http, body, status))).StatusCode);

    [Theory]
    [InlineData(0x2, StatusCode.Internal, RpcFailureOrigin.InFlight)]
    [InlineData(0x8, StatusCode.Cancelled, RpcFailureOrigin.InFlight)]
    [InlineData(0xb, StatusCode.ResourceExhausted, RpcFailureOrigin.InFlight)]
    [InlineData(0xc, StatusCode.PermissionDenied, RpcFailureOrigin.InFlight)]
    public async Task A_reset_stream_becomes_a_status(int errorCode, StatusCode expected, RpcFailureOrigin origin)
    {
        var e = await CallAsync(async http =>
        {
            http.Response.ContentType = "application/grpc";
            await http.Response.StartAsync();
            http.Features.GetRequiredFeature<IHttpResetFeature>().Reset(errorCode);
        });
        Assert.Equal((expected, origin), (e.StatusCode, e.Origin));
    }

    [Fact]
    public async Task A_refused_stream_was_not_sent()
    {
        var e = await CallAsync(http =>
        {
            http.Features.GetRequiredFeature<IHttpResetFeature>().Reset(0x7);
            return Task.CompletedTask;
        });
        Assert.Equal((StatusCode.Unavailable, RpcFailureOrigin.NotSent), (e.StatusCode, e.Origin));
    }

    [Fact]
    public async Task Damaged_details_leave_status_and_text()
    {
        var e = await CallAsync(http =>
        {
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = "5";
            http.Response.Headers["grpc-message"] = "not%20here %zz %";
            http.Response.Headers["grpc-status-details-bin"] = "/////w";
            return Task.CompletedTask;
        });
        Assert.Equal(new GrpcStatus(StatusCode.NotFound, "not here %zz %"), e.Status);
        Assert.Null(e.Rich);
        Assert.Null(e.FindDetail<Protocol.V1.SqlError>());
    }

    private static async Task AnswerAsync(HttpContext http, byte[] body, string? status)
    {
        http.Response.ContentType = "application/grpc";
        await http.Response.StartAsync();
        await http.Response.Body.WriteAsync(body);
        if (status is not null) http.Response.AppendTrailer("grpc-status", status);
    }

    private static async Task<RpcException> CallAsync(RequestDelegate server)
    {
        await using var host = await GrpcTestServer.StartRawAsync(server);
        await using var channel = host.Connect(new GrpcChannelOptions { MaxMessageBytes = 1_000_000 });
        return await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(TestMethods.EmptyCall, new Empty()).WaitAsync(TestTimeouts.Long));
    }
}
