using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.AspNetCore;

/// <summary>How the sessions of requests begin, and how their bookmarks travel.</summary>
public sealed class ReplicatedSqliteSessionOptions
{
    /// <summary>The name of the header, and of the cookie, as Cloudflare's D1 has it.</summary>
    public const string DefaultName = "x-d1-bookmark";

    /// <summary>The header that a bookmark comes in and goes back in. Default <c>x-d1-bookmark</c>.</summary>
    public string HeaderName { get; set; } = DefaultName;

    /// <summary>The cookie that a bookmark comes in, where there is no header, and goes back in. Default <c>x-d1-bookmark</c>; null: no cookie.</summary>
    public string? CookieName { get; set; } = DefaultName;

    /// <summary>How long a browser keeps the cookie. Default: until it is closed. Longer than a copy may ever lag is of no use.</summary>
    public TimeSpan? CookieMaxAge { get; set; }

    /// <summary>The cookie's reach over sites. Default Lax.</summary>
    public SameSiteMode CookieSameSite { get; set; } = SameSiteMode.Lax;

    /// <summary>
    /// Where a session begins without a bookmark: <see cref="Session.FirstUnconstrained"/> (the default), the nearest copy, whatever it has; or <see cref="Session.FirstPrimary"/>.
    /// </summary>
    public string Start { get; set; } = Session.FirstUnconstrained;
}
