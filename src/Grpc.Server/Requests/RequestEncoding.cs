using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>What a request's messages may be compressed with.</summary>
internal static class RequestEncoding
{
    /// <exception cref="RpcException">UNIMPLEMENTED: something that is not understood here.</exception>
    public static string? Of(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(GrpcHeaders.Encoding, out var value)) return null;
        var encoding = value.ToString();
        return encoding is GrpcHeaders.Identity or GrpcHeaders.Gzip
            ? encoding
            : throw new RpcException(StatusCode.Unimplemented, $"Messages in '{encoding}' are not understood here; {GrpcHeaders.AcceptedEncodings} are.");
    }
}
