using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>gzip in both directions: who gets it, from which size, and that it is never a loss.</summary>
public sealed class CompressionTests
{
    private const string AcceptedByGrpcJs = "identity,deflate,gzip";
    private static readonly GrpcMethod<BytesValue, BytesValue> Echo = new("test.Gzip", "Echo", MethodKind.Unary);
    private static readonly GrpcMethod<BytesValue, BytesValue> Repeat = new("test.Gzip", "Repeat", MethodKind.ServerStreaming);
    private static readonly GrpcMethod<BytesValue, StringValue> Flag = new("test.Gzip", "Flag", MethodKind.Unary);

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

    [Theory]
    [InlineData(100, 0, true)]
    [InlineData((16 * 1024) - 1, 0, true)]
    [InlineData(16 * 1024, 1, true)]
    [InlineData(1 << 20, 1, true)]
    [InlineData(1 << 20, 0, false)] // what does not shrink goes as it is
    public async Task By_default_answers_of_16_KiB_and_more_are_compressed_if_they_shrink(int size, int flag, bool isText)
    {
        var message = MessageOf(size, isText);
        await using var server = await StartAsync(new GrpcServerOptions());
        await using var channel = server.Connect(new GrpcChannelOptions { AcceptGzip = true });
        Assert.True(message.Equals(await channel.CallAsync(Echo, message)), "Another answer came.");
        var streamed = await channel.OpenServerStream(Repeat, message).ToArrayAsync();
        Assert.True(streamed.Length == 2 && streamed.All(message.Equals), "Other answers came in the stream.");

        using var raw = new RawClient(server.Address);
        foreach (var (method, accept, expected) in new[] { (Echo, AcceptedByGrpcJs, flag), (Repeat, AcceptedByGrpcJs, flag), (Echo, "identity", 0), (Repeat, "deflate", 0) })
        {
            var answer = await raw.PostAsync(method.FullName, RawClient.Frame(message.ToByteArray()), ("grpc-accept-encoding", accept));
            Assert.True(
                answer.Body[0] == expected && (expected == 1 || answer.Body.Length >= 5 + size), $"{method} for '{accept}': flag {answer.Body[0]}, {answer.Body.Length} bytes for {size}.");
        }
    }

    [Theory]
    [InlineData(2000, true, false, 0)] // below the size
    [InlineData(5000, true, false, 1)]
    [InlineData(5000, false, false, 0)] // does not shrink
    [InlineData(2000, true, true, 1)] // asked for by the call
    [InlineData(2000, false, true, 0)]
    public async Task Requests_are_compressed_from_the_channels_size_or_where_the_call_asks_and_never_to_grow(int size, bool isText, bool call, int flag)
    {
        await using var server = await GrpcTestServer.StartRawAsync(async http =>
        {
            var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            var frame = body.ToArray();
            http.Response.ContentType = "application/grpc";
            await http.Response.Body.WriteAsync(RawClient.Frame(new StringValue { Value = $"{frame[0]} {http.Request.Headers["grpc-encoding"]} {frame.Length < 5 + size}" }.ToByteArray()));
            http.Response.AppendTrailer("grpc-status", "0");
        });
        await using var channel = server.Connect(new GrpcChannelOptions { GzipRequestsFromBytes = 4096 });
        var answer = await channel.CallAsync(Flag, MessageOf(size, isText), new CallOptions { Gzip = call });
        Assert.Equal(flag == 1 ? "1 gzip True" : "0  False", answer.Value);
    }

    [Fact]
    public async Task A_stream_of_requests_may_be_compressed_in_part()
    {
        await using var server = await GrpcTestServer.StartInteropAsync();
        await using var channel = server.Connect(new GrpcChannelOptions { GzipRequestsFromBytes = 4096 });
        await using var call = channel.OpenClientStream(TestMethods.StreamingInput);
        foreach (var size in new[] { 10, 100_000, 0, 5_000 }) await call.WriteAsync(new StreamingInputCallRequest { Payload = TestMethods.PayloadOf(size) });
        Assert.Equal(105_010, (await call.CompleteAsync()).AggregatedPayloadSize);
    }

    [Fact]
    public async Task Answers_that_another_gzip_made_are_read_and_no_further_than_the_limit()
    {
        using var node = await NodePackages.StartAsync("gzip-server.js");
        var address = new Uri($"http://127.0.0.1:{int.Parse((await node.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture)}");
        await using (var channel = new GrpcChannel(address, new GrpcChannelOptions { AcceptGzip = true, MaxMessageBytes = 500_000, GzipRequestsFromBytes = 1000 }))
        {
            var request = new SimpleRequest { ResponseSize = 314_159, Payload = TestMethods.PayloadOf(271_828) };
            var answer = await channel.CallWithMetadataAsync(TestMethods.UnaryCall, request);
            Assert.Equal(TestMethods.PayloadOf(314_159), answer.Message.Payload);
            Assert.True(answer.Headers.TryGet("x-request-compressed", out var came));
            Assert.Equal("1 gzip identity,gzip", came);

            int[] sizes = [31_415, 9, 0, 58_979];
            var streamed = new StreamingOutputCallRequest { ResponseParameters = { sizes.Select(size => new ResponseParameters { Size = size }) } };
            Assert.Equal(sizes, await channel.OpenServerStream(TestMethods.StreamingOutput, streamed).Select(response => response.Payload.Body.Length).ToArrayAsync());

            var bomb = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest { ResponseSize = 100_000_000 })); // 100 KB on the wire
            Assert.Equal(StatusCode.ResourceExhausted, bomb.StatusCode);
        }

        node.StandardInput.Close();
        await node.WaitForExitAsync();
    }

    [Fact]
    public async Task Requests_above_http_limits_pass_where_the_server_allows_them()
    {
        await using var server = await GrpcTestServer.StartAsync(services => services.MapTestService(), new GrpcServerOptions { MaxRequestBytes = 64 << 20 });
        await using var channel = server.Connect();
        Assert.NotNull(await channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest { Payload = TestMethods.PayloadOf(40_000_000) }));
    }

    private static Task<GrpcTestServer> StartAsync(GrpcServerOptions options) => GrpcTestServer.StartAsync(
        services => services
            .MapUnary(Echo, (request, _) => new ValueTask<BytesValue>(request))
            .MapServerStreaming(Repeat, async (request, responses, _) =>
            {
                await responses.WriteAsync(request);
                await responses.WriteAsync(request);
            }),
        options);

    /// <summary>A message of exactly that size on the wire, above 100 bytes.</summary>
    private static BytesValue MessageOf(int size, bool isText)
    {
        var bytes = new byte[size - (size < 130 ? 2 : size < 16_388 ? 3 : 4)]; // tag and length
        if (!isText) new Random(1).NextBytes(bytes);
        var message = new BytesValue { Value = ByteString.CopyFrom(bytes) };
        Assert.Equal(size, message.CalculateSize());
        return message;
    }
}
