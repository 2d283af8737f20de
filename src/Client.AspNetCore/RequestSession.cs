using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace ReplicatedSqlite.AspNetCore;

/// <summary>The session of one request, made when it is first asked for.</summary>
/// <remarks>One belongs to each request's scope and dies with it; nothing of it is shared, so no bookmark can get from one user to another.</remarks>
internal sealed class RequestSession(ReplicatedSqliteDataSource dataSource, IOptions<ReplicatedSqliteSessionOptions> options)
{
    private string? _given;
    private Session? _session;
    private bool _isRefused;

    /// <summary>Whether anybody asked for it.</summary>
    public bool IsUsed => _session is not null;

    public Session Session => _session ??= dataSource.WithSession(_given ?? options.Value.Start);

    /// <summary>Takes the bookmark that the client sent. What is none is passed over: it comes from outside, and the request can begin anew.</summary>
    public void Read(HttpRequest request)
    {
        var names = options.Value;
        var text = request.Headers[names.HeaderName].ToString();
        if (text.Length == 0 && names.CookieName is { } cookie) text = request.Cookies[cookie] ?? "";
        if (Bookmark.TryParse(text, out _)) _given = text;
    }

    /// <summary>Whether the client sent a bookmark.</summary>
    public bool HasGiven => _given is not null;

    /// <summary>Gives the session's bookmark back, or takes a refused one away. A session that saw nothing leaves the client's as it is.</summary>
    public void Write(HttpResponse response)
    {
        var names = options.Value;
        if (_isRefused)
        {
            if (names.CookieName is { } refused) response.Cookies.Delete(refused, CookieOptions(response.HttpContext.Request));
            return;
        }

        if (_session?.Bookmark?.ToString() is not { } bookmark) return;
        response.Headers[names.HeaderName] = bookmark;
        if (names.CookieName is not { } cookie || bookmark == response.HttpContext.Request.Cookies[cookie]) return;
        response.Cookies.Append(cookie, bookmark, CookieOptions(response.HttpContext.Request));
    }

    /// <summary>The server refused the bookmark: the client is to forget it, or its requests would fail for ever.</summary>
    public void Forget() => _isRefused = true;

    private CookieOptions CookieOptions(HttpRequest request) => new()
    {
        HttpOnly = true,
        Secure = request.IsHttps,
        SameSite = options.Value.CookieSameSite,
        MaxAge = options.Value.CookieMaxAge,
        Path = "/",
        IsEssential = true, // without it a user does not see their own writes
    };
}
