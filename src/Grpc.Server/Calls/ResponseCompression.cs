using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Decides whether a call's responses may be compressed.</summary>
internal static class ResponseCompression
{
    /// <summary>The least size to compress from; <see cref="int.MaxValue"/> if nothing is.</summary>
    public static int Threshold(HttpRequest request, GrpcServerOptions options)
    {
        if (options.GzipResponsesFromBytes is not { } bytes) return int.MaxValue;
        foreach (var accepted in request.Headers.GetCommaSeparatedValues(GrpcHeaders.AcceptEncoding))
        {
            if (accepted.Equals(GrpcHeaders.Gzip, StringComparison.OrdinalIgnoreCase)) return bytes;
        }

        return int.MaxValue;
    }
}
