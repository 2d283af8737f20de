using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>How a client encrypts, whom it trusts, and where it does not send its token.</summary>
internal static class ClientTls
{
    /// <summary>The channel's settings with what the client's say about trust, and the token for every call.</summary>
    /// <exception cref="ArgumentException">The file of authorities cannot be read, or holds none.</exception>
    public static GrpcChannelOptions ChannelOptions(ReplicatedSqliteClientOptions options)
    {
        var channel = options.Channel;
        if (options.Token is { Length: > 0 } token) channel = channel with { Headers = new Metadata { { "authorization", "Bearer " + token } } };
        if (options.AuthorityFile is not { Length: > 0 } file) return channel;
        var authorities = Load(file);
        return channel with { Tls = () => Trusting(authorities) };
    }

    /// <summary>A token that goes over the network readable belongs to everybody there.</summary>
    /// <exception cref="ArgumentException">There is a token, and an endpoint beyond this machine that is not encrypted.</exception>
    public static void CheckToken(IEnumerable<Uri> endpoints, ReplicatedSqliteClientOptions options)
    {
        if (options.Token is not { Length: > 0 } || options.AllowPlaintextToken) return;
        if (endpoints.FirstOrDefault(endpoint => endpoint.Scheme == Uri.UriSchemeHttp && !IsThisMachine(endpoint)) is { } open)
        {
            throw new ArgumentException(
                $"The token would go to {open.Authority} unencrypted, for everybody on the way to read. Use https://{open.Authority}, or, on a network that nobody else reaches, allow it ({nameof(options.AllowPlaintextToken)}).");
        }
    }

    private static bool IsThisMachine(Uri endpoint) => endpoint.Host == "localhost" || (IPAddress.TryParse(endpoint.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));

    private static SslClientAuthenticationOptions Trusting(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(authorities);
        return new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CertificateChainPolicy = policy };
    }

    private static X509Certificate2Collection Load(string file)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ArgumentException($"The authorities in '{file}' cannot be read: {e.Message}", e);
        }

        return authorities.Count > 0 ? authorities : throw new ArgumentException($"'{file}' holds no certificate; the authority that signed the nodes' certificates is wanted, in PEM.");
    }
}
