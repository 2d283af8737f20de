using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Turns away what is not gRPC, and lifts HTTP's limits from what is.</summary>
internal static class CallGate
{
    public static bool Accept(HttpContext http, bool streamsRequests, bool liftsBodyLimit)
    {
        if (!GrpcHeaders.IsGrpc(http.Request.ContentType))
        {
            http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return false;
        }

        if (!HttpProtocol.IsHttp2(http.Request.Protocol) && !HttpProtocol.IsHttp3(http.Request.Protocol))
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired; // HTTP/1.1 clients do not reliably see trailers
            http.Response.Headers.Upgrade = "h2c";
            return false;
        }

        // A message has its own limit; the sum of a stream's messages has none.
        if (liftsBodyLimit && http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false, MaxRequestBodySize: not null } size) size.MaxRequestBodySize = null;

        // Streams may be silent for as long as they like; keep-alive pings find the dead.
        if (streamsRequests && http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;

        // Who compresses is told what is understood; nobody else looks at it.
        if (http.Request.Headers.ContainsKey(GrpcHeaders.Encoding)) http.Response.Headers[GrpcHeaders.AcceptEncoding] = GrpcHeaders.AcceptedEncodings;
        return true;
    }
}
