using System.Net;
using Google.Protobuf;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Grpc.Tests;

public sealed class MalformedRequestTests : IAsyncLifetime
{
    private const string Unary = "/grpc.testing.TestService/UnaryCall";
    private const string Input = "/grpc.testing.TestService/StreamingInputCall";
    private static readonly byte[] Garbage = [0xff, 0xff, 0xff, 0xff];

    private GrpcTestServer _server = null!;
    private RawClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await GrpcTestServer.StartAsync(
            services =>
            {
                services.MapTestService();
                services.MapUnary(QueryMethods.Execute, (request, _) => new ValueTask<ExecuteResponse>(new ExecuteResponse { Bookmark = request.Database }));
            },
            new GrpcServerOptions { MaxRequestBytes = 100_000 });
        _client = new RawClient(_server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        // Whatever a test sent, the server still serves.
        await using (var channel = _server.Connect()) Assert.Equal(new Empty(), await channel.CallAsync(TestMethods.EmptyCall, new Empty()));
        _client.Dispose();
        await _server.DisposeAsync();
    }

    public static TheoryData<string, byte[], StatusCode> Bodies => new()
    {
        { Unary, [], StatusCode.Unimplemented },
        { Unary, [0, 0, 0], StatusCode.Internal },
        { Unary, RawClient.Frame([], announced: 10), StatusCode.Internal },
        { Unary, RawClient.Frame(new byte[9], announced: 10), StatusCode.Internal },
        { Unary, RawClient.Frame([], flag: 2), StatusCode.Internal },
        { Unary, RawClient.Frame([], flag: 1), StatusCode.Internal }, // compressed, without an encoding
        { Unary, RawClient.Frame(Garbage), StatusCode.Internal },
        { Unary, RawClient.Frame([], announced: 100_001), StatusCode.ResourceExhausted },
        { Unary, RawClient.Frame([], announced: -1), StatusCode.ResourceExhausted },
        { Unary, [.. RawClient.Frame([]), .. RawClient.Frame([])], StatusCode.Unimplemented },
        { Unary, [.. RawClient.Frame([]), 7], StatusCode.Internal },
        { Unary, "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), StatusCode.Internal },
        { Input, [0, 0, 0], StatusCode.Internal },
        { Input, RawClient.Frame(Garbage), StatusCode.Internal },
        { Input, [.. RawClient.Frame(new StreamingInputCallRequest { Payload = TestMethods.PayloadOf(1) }.ToByteArray()), 0, 0], StatusCode.Internal },
        { Input, [], StatusCode.OK },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_that_is_no_request_is_answered_with_a_status(string path, byte[] body, StatusCode expected)
    {
        var answer = await _client.PostAsync(path, body);
        Assert.Equal((200, ((int)expected).ToString(null, null)), (answer.HttpStatus, answer.Status));
        if (expected != StatusCode.OK) Assert.NotEmpty(answer.Message!);
    }

    [Fact]
    public async Task Bytes_that_are_not_gzip_are_refused()
    {
        Assert.Equal("13", (await _client.PostAsync(Unary, RawClient.Frame(Garbage, flag: 1), ("grpc-encoding", "gzip"))).Status);
    }

    [Fact]
    public async Task An_unknown_encoding_is_unimplemented_and_the_known_ones_are_named()
    {
        using var response = await _client.SendAsync(Unary, RawClient.Frame([]), ("grpc-encoding", "snappy"));
        Assert.Equal(["identity,gzip"], response.Headers.GetValues("grpc-accept-encoding"));
        Assert.Equal("12", (await RawClient.ReadAsync(response)).Status);
    }

    [Fact]
    public async Task A_compressed_message_may_not_unfold_beyond_the_limit()
    {
        var bomb = GzipPayload.Compress(new SimpleRequest { Payload = TestMethods.PayloadOf(50_000_000) });
        Assert.Equal("8", (await _client.PostAsync(Unary, RawClient.Frame(bomb.Span, flag: 1), ("grpc-encoding", "gzip"))).Status);
        var small = GzipPayload.Compress(new SimpleRequest { Payload = TestMethods.PayloadOf(200_000) });
        Assert.Equal("8", (await _client.PostAsync(Unary, RawClient.Frame(small.Span, flag: 1), ("grpc-encoding", "gzip"))).Status);
        var fits = GzipPayload.Compress(new SimpleRequest { Payload = TestMethods.PayloadOf(99_000) });
        Assert.Equal("0", (await _client.PostAsync(Unary, RawClient.Frame(fits.Span, flag: 1), ("grpc-encoding", "gzip"))).Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    [InlineData(null)]
    public async Task Other_content_is_an_unsupported_media_type(string? contentType)
    {
        var response = await _client.SendAsync(HttpMethod.Post, Unary, contentType, new ByteArrayContent(RawClient.Frame([])));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Theory]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc;charset=utf-8")]
    public async Task Content_types_of_grpc_are_taken(string contentType)
    {
        var response = await _client.SendAsync(HttpMethod.Post, Unary, contentType, new ByteArrayContent(RawClient.Frame([])));
        Assert.Equal("0", (await RawClient.ReadAsync(response)).Status);
    }

    [Fact]
    public async Task Only_posts_are_calls()
    {
        var response = await _client.SendAsync(HttpMethod.Get, Unary, null, null);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Paths_of_nobody_are_unimplemented_for_grpc_and_not_found_for_others()
    {
        Assert.Equal("12", (await _client.PostAsync("/no.Service/Method", RawClient.Frame([]))).Status);
        Assert.Equal("12", (await _client.PostAsync("/a/b/c", RawClient.Frame([]))).Status);
        Assert.Equal("12", (await _client.PostAsync("/", RawClient.Frame([]))).Status);
        var response = await _client.SendAsync(HttpMethod.Get, "/no.Service/Method", null, null);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Text_that_is_not_utf8_is_the_callers_mistake()
    {
        var body = new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = "XYZ" } } }.ToByteArray();
        body.AsSpan().Replace((byte)'Y', (byte)0xC3);
        await AssertSqlErrorAsync(body, StatusCode.InvalidArgument, ErrorCodes.InvalidRequest, "replicatedsqlite.v1.Statement.sql");
    }

    [Fact]
    public async Task Refusals_of_public_methods_carry_a_sql_error()
    {
        await AssertSqlErrorAsync(Garbage, StatusCode.InvalidArgument, ErrorCodes.InvalidRequest, "ExecuteRequest");
        await AssertSqlErrorAsync(new byte[100_001], StatusCode.ResourceExhausted, ErrorCodes.RequestTooLarge, "100001");
    }

    private async Task AssertSqlErrorAsync(byte[] payload, StatusCode status, string code, string text)
    {
        using var response = await _client.SendAsync("/replicatedsqlite.v1.Query/Execute", RawClient.Frame(payload));
        Assert.Equal(((int)status).ToString(null, null), Assert.Single(response.Headers.GetValues("grpc-status")));
        Assert.True(MetadataBase64.TryDecode(Assert.Single(response.Headers.GetValues("grpc-status-details-bin")), out var bytes));
        var rich = Google.Rpc.Status.Parser.ParseFrom(bytes);
        Assert.Equal(code, rich.Details[0].Unpack<SqlError>().Code);
        Assert.Contains(text, rich.Message, StringComparison.Ordinal);
    }
}
