using System.Diagnostics;
using ReplicatedSqlite.Grpc.Tests.Interop;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>gRPC's interoperability cases: our client against a server of grpc-js.</summary>
public sealed class InteropClientTests : IAsyncLifetime
{
    private const string SpecialMessage = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    private Process _node = null!;
    private GrpcChannel _channel = null!;

    public async ValueTask InitializeAsync()
    {
        _node = await NodePackages.StartAsync("server.js");
        var port = await _node.StandardOutput.ReadLineAsync();
        Assert.True(int.TryParse(port, out _), $"The server did not start: {port}");
        _channel = new GrpcChannel(new Uri($"http://127.0.0.1:{port}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        _node.StandardInput.Close();
        await _node.WaitForExitAsync();
        _node.Dispose();
    }

    [Fact]
    public async Task Empty_unary() => Assert.Equal(new Empty(), await _channel.CallAsync(TestMethods.EmptyCall, new Empty()));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Large_unary(bool gzip)
    {
        var request = new SimpleRequest { ResponseSize = 314_159, Payload = TestMethods.PayloadOf(271_828) };
        var response = await _channel.CallAsync(TestMethods.UnaryCall, request, new CallOptions { Gzip = gzip });
        Assert.Equal(TestMethods.PayloadOf(314_159), response.Payload);
    }

    [Fact]
    public async Task Client_streaming()
    {
        await using var call = _channel.OpenClientStream(TestMethods.StreamingInput);
        foreach (var size in new[] { 27_182, 8, 1_828, 45_904 })
            await call.WriteAsync(new StreamingInputCallRequest { Payload = TestMethods.PayloadOf(size) });
        Assert.Equal(74_922, (await call.CompleteAsync()).AggregatedPayloadSize);
    }

    [Fact]
    public async Task Server_streaming()
    {
        int[] sizes = [31_415, 9, 2_653, 58_979];
        var request = new StreamingOutputCallRequest();
        request.ResponseParameters.Add(sizes.Select(size => new ResponseParameters { Size = size }));
        await using var stream = _channel.OpenServerStream(TestMethods.StreamingOutput, request);
        Assert.Equal(sizes, await stream.Select(response => response.Payload.Body.Length).ToArrayAsync());
    }

    [Fact]
    public async Task Ping_pong()
    {
        await using var call = _channel.OpenDuplex(TestMethods.FullDuplex);
        await using var responses = call.Responses.GetAsyncEnumerator();
        foreach (var (requestSize, responseSize) in new[] { (27_182, 31_415), (8, 9), (1_828, 2_653), (45_904, 58_979) })
        {
            await call.WriteAsync(Asking(responseSize, requestSize));
            Assert.True(await responses.MoveNextAsync());
            Assert.Equal(responseSize, responses.Current.Payload.Body.Length);
        }

        await call.CompleteAsync();
        Assert.False(await responses.MoveNextAsync());
    }

    [Fact]
    public async Task Empty_stream()
    {
        await using var call = _channel.OpenDuplex(TestMethods.FullDuplex);
        await call.CompleteAsync();
        Assert.Empty(await call.Responses.ToArrayAsync());
    }

    [Fact]
    public async Task Cancel_after_begin()
    {
        using var cancel = new CancellationTokenSource();
        await using var call = _channel.OpenClientStream(TestMethods.StreamingInput, cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(call.CompleteAsync);
    }

    [Fact]
    public async Task Cancel_after_first_response()
    {
        using var cancel = new CancellationTokenSource();
        await using var call = _channel.OpenDuplex(TestMethods.FullDuplex, cancellationToken: cancel.Token);
        await call.WriteAsync(Asking(31_415, 27_182));
        await using var responses = call.Responses.GetAsyncEnumerator();
        Assert.True(await responses.MoveNextAsync());
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await responses.MoveNextAsync());
    }

    [Fact]
    public async Task Timeout_on_sleeping_server()
    {
        await using var call = _channel.OpenDuplex(TestMethods.FullDuplex, new CallOptions { Timeout = TimeSpan.FromMilliseconds(20) });
        var e = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await call.WriteAsync(Asking(1, 27_182, intervalMicroseconds: 5_000_000));
            await call.Responses.ToArrayAsync();
        });
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
    }

    [Fact]
    public async Task Custom_metadata()
    {
        var options = new CallOptions { Headers = [] };
        options.Headers.Add("x-grpc-test-echo-initial", "test_initial_metadata_value");
        options.Headers.AddBinary("x-grpc-test-echo-trailing-bin", [0xab, 0xab, 0xab]);
        var unary = await _channel.CallWithMetadataAsync(TestMethods.UnaryCall, new SimpleRequest { ResponseSize = 314_159 }, options);
        AssertEchoed(unary.Headers, unary.Trailers);

        await using var call = _channel.OpenDuplex(TestMethods.FullDuplex, options);
        await call.WriteAsync(Asking(314_159, 271_828));
        await call.CompleteAsync();
        Assert.Single(await call.Responses.ToArrayAsync());
        AssertEchoed(await call.ReadHeadersAsync(), call.Trailers);
    }

    [Theory]
    [InlineData("test status message")]
    [InlineData(SpecialMessage)]
    public async Task Status_code_and_message(string message)
    {
        var status = new EchoStatus { Code = 2, Message = message };
        var e = await Assert.ThrowsAsync<RpcException>(() => _channel.CallAsync(TestMethods.UnaryCall, new SimpleRequest { ResponseStatus = status }));
        Assert.Equal(new GrpcStatus(StatusCode.Unknown, message), e.Status);

        await using var call = _channel.OpenDuplex(TestMethods.FullDuplex);
        await call.WriteAsync(new StreamingOutputCallRequest { ResponseStatus = status });
        e = await Assert.ThrowsAsync<RpcException>(async () => await call.Responses.ToArrayAsync());
        Assert.Equal(new GrpcStatus(StatusCode.Unknown, message), e.Status);
    }

    [Fact]
    public async Task Unimplemented_method_and_service()
    {
        foreach (var method in new[] { TestMethods.Unimplemented, TestMethods.UnimplementedService })
        {
            var e = await Assert.ThrowsAsync<RpcException>(() => _channel.CallAsync(method, new Empty()));
            Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
        }
    }

    private static StreamingOutputCallRequest Asking(int responseSize, int requestSize, int intervalMicroseconds = 0) => new()
    {
        ResponseParameters = { new ResponseParameters { Size = responseSize, IntervalUs = intervalMicroseconds } },
        Payload = TestMethods.PayloadOf(requestSize),
    };

    private static void AssertEchoed(Metadata headers, Metadata trailers)
    {
        Assert.True(headers.TryGet("x-grpc-test-echo-initial", out var initial));
        Assert.Equal("test_initial_metadata_value", initial);
        Assert.True(trailers.TryGetBinary("x-grpc-test-echo-trailing-bin", out var trailing));
        Assert.Equal([0xab, 0xab, 0xab], trailing.ToArray());
    }
}
