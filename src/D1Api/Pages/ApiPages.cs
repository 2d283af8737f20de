using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ReplicatedSqlite.D1Api;

/// <summary>What a person sees who opens the port in a browser: what this is, and the API's description. Nothing is loaded from elsewhere.</summary>
internal static class ApiPages
{
    private const string Policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void Map(IEndpointRouteBuilder routes)
    {
        Serve("/", "index.html", "text/html; charset=utf-8");
        Serve("/openapi", "openapi.html", "text/html; charset=utf-8");
        Serve("/openapi.json", "openapi.json", "application/json");

        void Serve(string path, string name, string type)
        {
            var content = Read(name);
            routes.MapGet(path, async http =>
            {
                http.Response.ContentType = type;
                http.Response.ContentLength = content.Length;
                http.Response.Headers.ContentSecurityPolicy = Policy;
                http.Response.Headers.XContentTypeOptions = "nosniff";
                await http.Response.Body.WriteAsync(content, http.RequestAborted);
            });
        }
    }

    private static byte[] Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!; // embedded: it is there
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
