using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>The TLS of a port. What it is made of is asked for at each connection, so that new certificates need no restart.</summary>
public sealed record ServerTls
{
    /// <summary>What the port shows.</summary>
    public required Func<SslStreamCertificateContext> Certificate { get; init; }

    /// <summary>
    /// Clients are asked for a certificate, and those with one that one of these signed are trusted peers (<see cref="ServerCallContext.HasTrustedCertificate"/>).
    /// Others are let in all the same: what they may do is the guard's business. Unset: nobody is asked.
    /// </summary>
    public Func<X509Certificate2Collection>? PeerAuthorities { get; init; }

    /// <summary>Longest time for a handshake. Default 10 s.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Encrypts a port: TLS 1.2 and 1.3, the protocol chosen by ALPN.</summary>
    internal void ApplyTo(ListenOptions listen) => listen.UseHttps(new TlsHandshakeCallbackOptions
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = handshake => ValueTask.FromResult(Describe(handshake)),
    });

    private SslServerAuthenticationOptions Describe(TlsHandshakeCallbackContext handshake)
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = Certificate(),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (PeerAuthorities is not { } authorities) return options;
        // Nothing is fetched from where a stranger's certificate says that its issuer can be had.
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(authorities());
        options.ClientCertificateRequired = true; // asks; whether one came, the next line sees
        options.CertificateChainPolicy = policy;
#pragma warning disable CA5359 // It is the client's certificate: without a good one it is not refused, but not trusted either, and says who it is in another way.
        options.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            if (certificate is not null && errors == SslPolicyErrors.None) handshake.Connection.Features.Set(TrustedPeer.Instance);
            return true;
        };
#pragma warning restore CA5359
        return options;
    }
}
