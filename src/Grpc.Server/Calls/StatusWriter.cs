using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Ends a response: status, text, details and trailing metadata.</summary>
internal static class StatusWriter
{
    /// <summary>The usual end, after at least one message.</summary>
    public static void WriteOk(ServerCallContext context)
    {
        var http = context.Http;
        context.ApplyHead();
        http.Response.AppendTrailer(GrpcHeaders.Status, "0");
        if (context.TrailersIfAny is { } metadata)
        {
            foreach (var entry in metadata) http.Response.AppendTrailer(entry.Name, entry.Value);
        }
    }

    /// <summary>A failure. Where nothing was sent yet, head and trailers are one block.</summary>
    public static void Write(HttpContext http, StatusCode code, string text, Metadata? metadata = null, ReadOnlySpan<byte> details = default)
    {
        var response = http.Response;
        var trailersOnly = !response.HasStarted && response.BodyWriter.UnflushedBytes == 0;
        if (!response.HasStarted)
        {
            response.StatusCode = StatusCodes.Status200OK;
            response.ContentType = GrpcHeaders.ContentType;
        }

        Append(GrpcHeaders.Status, ((int)code).ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (text.Length > 0) Append(GrpcHeaders.Message, StatusText.Encode(text));
        if (!details.IsEmpty) Append(GrpcHeaders.StatusDetails, MetadataBase64.Encode(details));
        if (metadata is null) return;
        foreach (var entry in metadata) Append(entry.Name, entry.Value);

        void Append(string name, string value)
        {
            if (trailersOnly) response.Headers.Append(name, value);
            else response.AppendTrailer(name, value);
        }
    }
}
