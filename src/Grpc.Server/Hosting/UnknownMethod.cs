using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Answers calls that nobody mapped.</summary>
internal static class UnknownMethod
{
    public static Task HandleAsync(HttpContext http)
    {
        if (GrpcHeaders.IsGrpc(http.Request.ContentType))
            StatusWriter.Write(http, StatusCode.Unimplemented, $"This server has no method {http.Request.Path}.");
        else
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
