using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Calls with bytes of our own making.</summary>
internal static class RawCall
{
    private static readonly HttpClient _http = new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Posts a message to an rpc.</summary>
    /// <returns>grpc-status and grpc-message; -1 if there was no status.</returns>
    public static async Task<(int Status, string Message, string Details)> PostAsync(Uri node, string method, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node, method))
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.Add("te", "trailers");
        using var response = await _http.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        var status = Header("grpc-status");
        return (status.Length == 0 ? -1 : int.Parse(status, System.Globalization.CultureInfo.InvariantCulture), Header("grpc-message"), Header("grpc-status-details-bin"));

        string Header(string name) =>
            response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values) ? string.Join(",", values) : "";
    }

    /// <summary>A message with its five-byte prefix.</summary>
    public static byte[] Frame(byte[] message, int? claimedLength = null)
    {
        var frame = new byte[message.Length + 5];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), claimedLength ?? message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    /// <summary>A length-delimited field, its content below 128 bytes.</summary>
    public static byte[] Field(int number, byte[] content) => [(byte)((number << 3) | 2), (byte)content.Length, .. content];
}
