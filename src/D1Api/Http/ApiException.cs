using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>A refusal in the words of Cloudflare's API.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="code">One of <see cref="ApiCodes"/>.</param>
/// <param name="message">What was found and what was wanted.</param>
internal sealed class ApiException(int status, int code, string message) : Exception(message)
{
    public int Status => status;

    public int Code => code;

    /// <summary>The request itself is wrong.</summary>
    public static ApiException Invalid(string message) => new(StatusCodes.Status400BadRequest, ApiCodes.InvalidProperty, message);

    /// <summary>The SQL, or what comes with it, is wrong.</summary>
    public static ApiException Query(string message) => new(StatusCodes.Status400BadRequest, ApiCodes.Query, message);

    /// <summary>There is no such path.</summary>
    public static ApiException NoRoute(string path) =>
        new(StatusCodes.Status404NotFound, ApiCodes.NoRoute, $"Could not route to {path}, perhaps your object identifier is invalid?");
}
