using System.Net;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The least that an HTTP/2 call costs in .NET: <see cref="HttpMessageInvoker"/> on a handler with our channel's settings.</summary>
internal sealed class BareEchoClient(Uri address) : IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        EnableMultipleHttp2Connections = true,
        InitialHttp2StreamWindowSize = 2 * 1024 * 1024,
        ActivityHeadersPropagator = null,
    });

    public async Task CallAsync(byte[] payload)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(payload),
        };
        using var response = await _invoker.SendAsync(request, CancellationToken.None);
        var answer = await response.Content.ReadAsByteArrayAsync();
        if (!answer.AsSpan().SequenceEqual(payload))
        {
            throw new BenchException($"The bare echo gave back {answer.Length} other bytes than the {payload.Length} sent.");
        }
    }

    public void Dispose() => _invoker.Dispose();
}
