using System.Net;
using System.Net.Http.Headers;

namespace ReplicatedSqlite.Grpc;

/// <summary>Builds the head of a request.</summary>
internal static class RequestHead
{
    public static HttpRequestMessage Create(Uri uri, HttpContent content, GrpcChannelOptions channel, bool isGzip, CallOptions? options)
    {
        content.Headers.TryAddWithoutValidation("content-type", GrpcHeaders.ContentType);
        var message = new HttpRequestMessage(HttpMethod.Post, uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact, // without TLS this means HTTP/2 by prior knowledge
            Content = content,
        };
        var headers = message.Headers;
        headers.TryAddWithoutValidation("te", "trailers"); // finds proxies that would drop the status
        if (channel.AcceptGzip) headers.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, GrpcHeaders.AcceptedEncodings);
        if (isGzip) headers.TryAddWithoutValidation(GrpcHeaders.Encoding, GrpcHeaders.Gzip);
        Add(headers, channel.Headers);
        if (options is null) return message;

        if (options.TimeoutText is { } timeout) headers.TryAddWithoutValidation(GrpcHeaders.Timeout, timeout);
        Add(headers, options.Headers);
        return message;
    }

    private static void Add(HttpRequestHeaders headers, Metadata? metadata)
    {
        if (metadata is null) return;
        foreach (var entry in metadata) headers.TryAddWithoutValidation(entry.Name, entry.Value);
    }
}
