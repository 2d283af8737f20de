using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The least that Kestrel can do with a body: read it whole, send it back, end with a trailer as gRPC does.</summary>
internal static class BareEcho
{
    public static async Task HandleAsync(HttpContext http)
    {
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync();
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            foreach (var segment in read.Buffer)
            {
                http.Response.BodyWriter.Write(segment.Span);
            }

            reader.AdvanceTo(read.Buffer.End);
            http.Response.AppendTrailer("grpc-status", "0");
            return;
        }
    }
}
