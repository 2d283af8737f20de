using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The two echo calls: ours, and a bare HTTP/2 request of the same bytes.</summary>
internal sealed class EchoClients : IAsyncDisposable
{
    private readonly GrpcChannel _channel;
    private readonly HttpMessageInvoker _bare = new(new SocketsHttpHandler
    {
        UseProxy = false, UseCookies = false, AllowAutoRedirect = false, EnableMultipleHttp2Connections = true, ActivityHeadersPropagator = null,
    });

    private readonly Uri _bareUri;

    public EchoClients(Uri address)
    {
        _channel = new GrpcChannel(address);
        _bareUri = new Uri(address, EchoMethod.BarePath);
    }

    public async Task OursAsync(ByteString payload)
    {
        var answer = await _channel.CallAsync(EchoMethod.Echo, new BytesValue { Value = payload });
        if (answer.Value.Length != payload.Length)
        {
            throw new InvalidOperationException($"An echo of {payload.Length} bytes came back with {answer.Value.Length}.");
        }
    }

    public async Task BareAsync(byte[] payload)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _bareUri)
        {
            Version = System.Net.HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(payload),
        };
        using var response = await _bare.SendAsync(request, CancellationToken.None);
        var answer = await response.Content.ReadAsByteArrayAsync();
        if (answer.Length != payload.Length)
        {
            throw new InvalidOperationException($"A bare echo of {payload.Length} bytes came back with {answer.Length}.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        _bare.Dispose();
    }
}
