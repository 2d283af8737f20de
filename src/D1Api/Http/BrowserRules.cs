using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>
/// What a web page may do. Clients on this machine need no token, and a page from anywhere can make its reader's browser such a client: so pages of other origins are refused
/// unless the operator named them, and without a token the node has to be called by an address or as localhost, which no page can make its own by a DNS record.
/// </summary>
internal sealed class BrowserRules(D1ApiOptions options)
{
    private const string ReadableHeaders = BookmarkHeader.Name;

    /// <summary>Lets a request in, and tells a browser which answers its page may read.</summary>
    /// <param name="http">The request.</param>
    /// <param name="isSigned">Its address is its token.</param>
    /// <exception cref="ApiException">The page may not call here.</exception>
    public void Check(HttpContext http, bool isSigned)
    {
        var request = http.Request;
        if (!isSigned && !request.Headers.ContainsKey("Authorization") && !PlainHost.IsAddress(request))
        {
            throw Refused(PlainHost.Explain(request));
        }

        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0 || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        // Where no token is needed, "any" would give every page of the world all rights: it counts for who sends one, and for a browser's question whether it may.
        var isAny = options.CorsOrigins.Contains("*") && (isSigned || request.Headers.ContainsKey("Authorization") || HttpMethods.IsOptions(request.Method));
        if (!isAny && !options.CorsOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase))
        {
            throw Refused($"Pages of {origin} may not call this node{(options.CorsOrigins.Contains("*") ? " without a token" : "")}: they are of another origin, and it is not told to let them.");
        }

        var answer = http.Response.Headers;
        answer.AccessControlAllowOrigin = origin;
        answer.AccessControlExposeHeaders = ReadableHeaders;
        answer.Vary = "Origin";
    }

    /// <summary>Answers the question that browsers ask before they let a page call.</summary>
    public static Task AnswerPreflightAsync(HttpContext http)
    {
        var answer = http.Response;
        answer.StatusCode = StatusCodes.Status204NoContent;
        answer.Headers.AccessControlAllowMethods = "GET, POST, PUT, PATCH, DELETE";
        answer.Headers.AccessControlAllowHeaders = $"authorization, content-type, idempotency-key, {BookmarkHeader.Name}";
        answer.Headers.AccessControlMaxAge = "3600";
        return Task.CompletedTask;
    }

    private static ApiException Refused(string message) => new(StatusCodes.Status403Forbidden, ApiCodes.NotAuthorized, message);
}
