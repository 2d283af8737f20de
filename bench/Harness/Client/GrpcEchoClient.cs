using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A unary call of our gRPC, the message parsed and compared.</summary>
internal sealed class GrpcEchoClient(Uri address, Network? from = null) : IAsyncDisposable
{
    private readonly GrpcChannel _channel = new(address, (from ?? Network.Own).Channel);

    public async Task CallAsync(ByteString payload)
    {
        var answer = await _channel.CallAsync(EchoServers.Method, new BytesValue { Value = payload });
        if (!answer.Value.Span.SequenceEqual(payload.Span))
        {
            throw new BenchException($"The echo gave back {answer.Value.Length} other bytes than the {payload.Length} sent.");
        }
    }

    public ValueTask DisposeAsync() => _channel.DisposeAsync();
}
