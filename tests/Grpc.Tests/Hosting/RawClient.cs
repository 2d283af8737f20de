using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>Sends bodies that no gRPC client would.</summary>
internal sealed class RawClient(Uri address) : IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler());

    public static byte[] Frame(ReadOnlySpan<byte> payload, byte flag = 0, int? announced = null)
    {
        var frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), announced ?? payload.Length);
        payload.CopyTo(frame.AsSpan(5));
        return frame;
    }

    public Task<HttpResponseMessage> SendAsync(string path, byte[] body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, "application/grpc", new ByteArrayContent(body), headers);

    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? contentType, HttpContent? content, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, new Uri(address, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (contentType is not null) content?.Headers.TryAddWithoutValidation("content-type", contentType);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return _invoker.SendAsync(request, CancellationToken.None);
    }

    public async Task<RawAnswer> PostAsync(string path, byte[] body, params (string Name, string Value)[] headers) =>
        await ReadAsync(await SendAsync(path, body, headers).WaitAsync(TestTimeouts.Long));

    public static async Task<RawAnswer> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var body = await response.Content.ReadAsByteArrayAsync();
            return new RawAnswer((int)response.StatusCode, Find(response, "grpc-status"), Find(response, "grpc-message"), body);
        }
    }

    public void Dispose() => _invoker.Dispose();

    private static string? Find(HttpResponseMessage response, string name) =>
        First(response.TrailingHeaders, name) ?? First(response.Headers, name);

    private static string? First(HttpHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.First() : null;
}
