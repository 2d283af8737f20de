using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>Addresses of files that whoever has them may use for an hour, without a token. The key lives as long as the process, as the files do.</summary>
internal sealed class SignedUrls(TimeProvider time)
{
    /// <summary>How long one is good for.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The address of a file at the node, by the name by which the node was called.</summary>
    /// <param name="method">What it may be used for.</param>
    /// <param name="file">The file's name, of letters that need no escape.</param>
    /// <param name="request">By which it is told.</param>
    public string Make(string method, string file, HttpRequest request)
    {
        var expires = (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds();
        return string.Create(CultureInfo.InvariantCulture, $"{request.Scheme}://{request.Host}{Paths.Files}/{file}?expires={expires}&signature={Convert.ToHexStringLower(Sign(method, file, expires))}");
    }

    /// <exception cref="ApiException">The address was not made here, was changed, or is too old.</exception>
    public void Check(string method, string file, HttpRequest request)
    {
        var isNumber = long.TryParse(request.Query["expires"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var expires);
        if (!isNumber || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(Sign(method, file, expires))), Encoding.UTF8.GetBytes(request.Query["signature"].ToString())))
        {
            throw new ApiException(StatusCodes.Status403Forbidden, ApiCodes.NotAuthorized, "The address of the file is not one that this node has given.");
        }

        if (time.GetUtcNow().ToUnixTimeSeconds() > expires)
        {
            throw new ApiException(StatusCodes.Status403Forbidden, ApiCodes.NotAuthorized, $"The address of the file was good for {Lifetime.TotalHours} h. Ask for another.");
        }
    }

    private byte[] Sign(string method, string file, long expires) =>
        HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{method} {file} {expires}")));
}
