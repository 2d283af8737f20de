namespace ReplicatedSqlite;

/// <summary>Reads the address of a node as people write it.</summary>
internal static class Endpoint
{
    private const string Wanted = "an endpoint is HOST:PORT, http://HOST:PORT or https://HOST:PORT";

    public static Uri Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        var address = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{text}' is no endpoint: {Wanted}.", nameof(text));
        if (uri.PathAndQuery.Length > 1 || uri.UserInfo.Length > 0)
            throw new ArgumentException($"'{text}' says more than where the node is: {Wanted}.", nameof(text));
        if (!HasPort(address))
            throw new ArgumentException($"'{text}' names no port: {Wanted}, for example 127.0.0.1:7101.", nameof(text));
        return uri;
    }

    // Uri fills in 80 or 443, which no node listens on by accident; a forgotten port is better named than tried.
    private static bool HasPort(string address)
    {
        var authority = address.AsSpan(address.IndexOf("://", StringComparison.Ordinal) + 3).TrimEnd('/');
        var colon = authority.LastIndexOf(':');
        return colon > authority.LastIndexOf(']') && colon < authority.Length - 1;
    }
}
