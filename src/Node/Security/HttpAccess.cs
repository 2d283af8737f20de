using ReplicatedSqlite.D1Api;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Router;

namespace ReplicatedSqlite.Node;

/// <summary>Who may ask the HTTP port for more than its health. gRPC calls have their own guard.</summary>
internal static class HttpAccess
{
    // What is below them tells nothing that is kept here, or makes calls of the contract, which are checked one by one as those by gRPC are.
    private static readonly PathString[] _open = ["/health", D1Endpoints.Prefix];

    public static void UseHttpAccess(this WebApplication web, AccessGuard guard) =>
        web.Use((http, next) => IsGrpc(http.Request) || IsOpen(http.Request.Path) ? next(http) : CheckAsync(guard, http, next));

    private static async Task CheckAsync(AccessGuard guard, HttpContext http, RequestDelegate next)
    {
        try
        {
            await guard.CheckHttpAsync(http, ofCluster: true, http.RequestAborted);
        }
        catch (RequestException refused)
        {
            http.Response.StatusCode = refused.Status == StatusCode.Unauthenticated ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
            if (http.Response.StatusCode == StatusCodes.Status401Unauthorized)
            {
                http.Response.Headers.WWWAuthenticate = "Bearer";
            }

            await http.Response.WriteAsync(refused.Message + "\n", http.RequestAborted);
            return;
        }

        // Clients on this machine need no token, and a page from anywhere can make its reader's browser such a client.
        if (!http.Request.Headers.ContainsKey("Authorization") && !PlainHost.IsAddress(http.Request))
        {
            http.Response.StatusCode = StatusCodes.Status403Forbidden;
            await http.Response.WriteAsync(PlainHost.Explain(http.Request) + "\n", http.RequestAborted);
            return;
        }

        await next(http);
    }

    private static bool IsOpen(PathString asked) => _open.Any(path => asked.StartsWithSegments(path, StringComparison.Ordinal));

    // Nothing else answers a POST here: with another method the content type is only what somebody says.
    private static bool IsGrpc(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
}
