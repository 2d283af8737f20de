using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>Sessions over HTTP: a bookmark or a constraint comes in the header or the cookie <c>x-d1-bookmark</c>, the new bookmark goes back the same way.</summary>
internal static class BookmarkHeader
{
    public const string Name = "x-d1-bookmark";

    private static readonly CookieOptions _cookie = new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/" };

    /// <summary>The session that a request goes on with; empty for none, which reads at the primary as D1 does.</summary>
    public static string Read(HttpContext http)
    {
        if (http.Request.Headers.TryGetValue(Name, out var header))
        {
            return header.Count == 1 ? header.ToString().Trim() : throw ApiException.Invalid($"The header {Name} comes {header.Count} times.");
        }

        return http.Request.Cookies[Name]?.Trim() ?? "";
    }

    /// <summary>Gives the bookmark back. Errors have one as well.</summary>
    public static void Write(HttpContext http, string? bookmark)
    {
        if (string.IsNullOrEmpty(bookmark))
        {
            return;
        }

        http.Response.Headers[Name] = bookmark;
        if (!http.Request.Headers.ContainsKey(Name) && http.Request.Cookies.ContainsKey(Name))
        {
            http.Response.Cookies.Append(Name, bookmark, _cookie);
        }
    }
}
