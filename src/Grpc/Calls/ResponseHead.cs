using System.Net;
using System.Net.Http.Headers;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>Reads status and metadata of a response.</summary>
internal static class ResponseHead
{
    /// <summary>Checks what came before the first message.</summary>
    /// <remarks>A failure without messages has its status here already; <see cref="CheckEnd"/> finds it, so that good calls need not look for it.</remarks>
    /// <exception cref="RpcException">The call is over: an HTTP error, or something that is not gRPC.</exception>
    public static void Check(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            if (TryReadStatus(response.Headers) is { IsOk: false } failure) throw Failure(failure, response.Headers);
            throw new RpcException(CodeOf((int)response.StatusCode), $"The server answered HTTP {(int)response.StatusCode} instead of a gRPC response.");
        }

        var contentType = First(response.Content.Headers, "content-type");
        if (!GrpcHeaders.IsGrpc(contentType))
            throw new RpcException(StatusCode.Unknown, $"The server answered content of type '{contentType}' instead of {GrpcHeaders.ContentType}.");
    }

    /// <summary>Whether compressed messages are in gzip; asked when the first one comes.</summary>
    /// <exception cref="RpcException">They are in something else.</exception>
    public static bool IsGzip(HttpResponseMessage response) =>
        First(response.Headers, GrpcHeaders.Encoding) switch
        {
            null or GrpcHeaders.Identity => false,
            GrpcHeaders.Gzip => true,
            var other => throw new RpcException(StatusCode.Internal, $"The server compressed with '{other}', which was not offered."),
        };

    /// <summary>Ends a call whose messages are all read.</summary>
    /// <exception cref="RpcException">The status is not OK, or there is none.</exception>
    public static void CheckEnd(HttpResponseMessage response)
    {
        var trailers = response.TrailingHeaders;
        if (TryReadStatus(trailers) is { } status)
        {
            if (!status.IsOk) throw Failure(status, trailers);
            return;
        }

        // Without any message head and trailers are one.
        if (TryReadStatus(response.Headers) is { } head)
        {
            if (!head.IsOk) throw Failure(head, response.Headers);
            return;
        }

        throw new RpcException(
            StatusCode.Unknown, "The response ended without a grpc-status; something between here and the server may drop trailers.", null, RpcFailureOrigin.InFlight, null, null);
    }

    public static Metadata Headers(HttpResponseMessage response) => ReadMetadata(response.Headers);

    public static Metadata Trailers(HttpResponseMessage response) => ReadMetadata(response.TrailingHeaders);

    private static RpcException Failure(GrpcStatus status, HttpHeaders headers)
    {
        byte[]? rich = null;
        if (First(headers, GrpcHeaders.StatusDetails) is { } encoded && MetadataBase64.TryDecode(encoded, out var bytes)) rich = bytes;
        return new RpcException(status.Code, status.Message, ReadMetadata(headers), RpcFailureOrigin.Server, rich, null);
    }

    private static GrpcStatus? TryReadStatus(HttpHeaders headers)
    {
        if (First(headers, GrpcHeaders.Status) is not { } text) return null;
        if (text == "0") return GrpcStatus.Success;
        var message = StatusText.Decode(First(headers, GrpcHeaders.Message) ?? "");
        return int.TryParse(text, out var code) && code is >= 0 and <= (int)StatusCode.Unauthenticated
            ? new GrpcStatus((StatusCode)code, message)
            : new GrpcStatus(StatusCode.Unknown, $"The server sent the unknown status '{text}'. {message}");
    }

    private static Metadata ReadMetadata(HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values) metadata.AddFromWire(name, value);
        }

        return metadata;
    }

    private static string? First(HttpHeaders headers, string name)
    {
        if (!headers.NonValidated.TryGetValues(name, out var values)) return null;
        foreach (var value in values) return value;
        return null;
    }

    // Source: gRPC, "HTTP to gRPC Status Code Mapping".
    private static StatusCode CodeOf(int httpStatus) => httpStatus switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };
}
