using System.Net;
using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>Whether a request calls its server by an address: a web page can make a name its own by a DNS record, and an address not.</summary>
public static class PlainHost
{
    /// <summary>It names an IP address or localhost, or nothing.</summary>
    public static bool IsAddress(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var host = request.Host.Host;
        return host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Trim('[', ']'), out _);
    }

    /// <summary>What who sends no token is told otherwise.</summary>
    public static string Explain(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return $"Without a token this node is called by an IP address or as localhost, not as '{request.Host.Host}'. Send a token.";
    }
}
