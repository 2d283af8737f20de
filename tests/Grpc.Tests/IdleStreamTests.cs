using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc.Server;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>Many clients that do nothing, or next to nothing.</summary>
public sealed class IdleStreamTests : IAsyncLifetime
{
    private const int Streams = 10_000;
    private const int MaxBytesPerStream = 16 * 1024; // about 8 KiB are Kestrel's; ours is the rest

    private static readonly GrpcMethod<Int32Value, Int32Value> Echo = new("test.Idle", "Echo", MethodKind.Unary);
    private static readonly GrpcMethod<Int32Value, Int32Value> Wait = new("test.Idle", "Wait", MethodKind.Duplex);

    private readonly SemaphoreSlim _changed = new(0);
    private GrpcTestServer _server = null!;
    private int _open;

    public async ValueTask InitializeAsync() => _server = await GrpcTestServer.StartAsync(services => services
        .MapUnary(Echo, (request, _) => new ValueTask<Int32Value>(request))
        .MapDuplex(Wait, async (requests, _, _) =>
        {
            Interlocked.Increment(ref _open);
            _changed.Release();
            try
            {
                await foreach (var _ in requests)
                {
                    // Nothing comes.
                }
            }
            finally
            {
                Interlocked.Decrement(ref _open);
                _changed.Release();
            }
        }));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Ten_thousand_idle_streams_take_bounded_memory_and_others_are_served()
    {
        await using var channel = _server.Connect();
        Assert.Equal(1, (await channel.CallAsync(Echo, new Int32Value { Value = 1 })).Value);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using (var idle = await RawHttp2.ConnectAsync(_server.Address))
        {
            await idle.SendAsync(RawHttp2.Preface);
            for (var i = 0; i < Streams; i++) await idle.SendAsync(RawHttp2.Call((2 * i) + 1, Wait.FullName));
            await UntilAsync(Streams);

            var perStream = (GC.GetTotalMemory(forceFullCollection: true) - before) / Streams;
            TestContext.Current.SendDiagnosticMessage($"{perStream} bytes a stream");
            Assert.InRange(perStream, 1, MaxBytesPerStream);

            Assert.Equal(2, (await channel.CallAsync(Echo, new Int32Value { Value = 2 }).WaitAsync(TimeSpan.FromSeconds(60))).Value);
        }

        await UntilAsync(0); // the connection is gone, and with it its calls
    }

    [Fact]
    public async Task A_writer_that_stops_inside_a_message_holds_up_nobody_else_on_its_connection_or_another()
    {
        using var slow = await RawHttp2.ConnectAsync(_server.Address);
        await slow.SendAsync(RawHttp2.Preface);
        await slow.SendAsync(RawHttp2.Call(1, Wait.FullName));
        await slow.SendAsync(RawHttp2.Frame(RawHttp2.Data, 0, 1, [0, 0, 0]));
        await UntilAsync(1);
        await using (var channel = _server.Connect()) Assert.Equal(2, (await channel.CallAsync(Echo, new Int32Value { Value = 2 })).Value);
        await slow.SendAsync(RawHttp2.Call(3, Echo.FullName));
        await slow.SendAsync(RawHttp2.Frame(RawHttp2.Data, RawHttp2.EndStream, 3, RawClient.Frame([8, 9])));
        await slow.ReadUntilAsync("grpc-status").WaitAsync(TestTimeouts.Long);
        await slow.EndAsync().WaitAsync(TestTimeouts.Long);
        await UntilAsync(0);
    }

    private async Task UntilAsync(int open)
    {
        using var patience = new CancellationTokenSource(TestTimeouts.Long);
        while (Volatile.Read(ref _open) != open) await _changed.WaitAsync(patience.Token);
    }
}
