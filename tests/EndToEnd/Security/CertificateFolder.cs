using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The files that a secure cluster reads: one authority, one certificate for all its nodes.</summary>
internal sealed class CertificateFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IPAddress? _address;

    public CertificateFolder(IPAddress? address = null)
    {
        _address = address;
        File.WriteAllText(AuthorityFile, Authority.Pem);
        Renew();
    }

    public TestAuthority Authority { get; } = new("nodes");

    public string CertificateFile => Path.Combine(_folder.Path, "node.crt");

    public string KeyFile => Path.Combine(_folder.Path, "node.key");

    public string AuthorityFile => Path.Combine(_folder.Path, "ca.crt");

    public TlsOptions Options => new() { CertificateFile = CertificateFile, KeyFile = KeyFile, NodeAuthorityFile = AuthorityFile, LookInterval = TimeSpan.FromMilliseconds(50) };

    public ReplicatedSqliteClientOptions Client => new() { AuthorityFile = AuthorityFile };

    /// <summary>A new certificate with a new key takes the place of the one that is there.</summary>
    public string Renew()
    {
        var (certificate, key) = Authority.Sign("node", _address);
        File.WriteAllText(CertificateFile, certificate);
        File.WriteAllText(KeyFile, key);
        return X509Certificate2.CreateFromPem(certificate).SerialNumber;
    }

    /// <summary>The bare way to a port, with a certificate of one's own or without.</summary>
    public GrpcChannel Channel(Uri address, (string Certificate, string Key)? own = null) => new(address, new GrpcChannelOptions { Tls = () => Trusting(own) });

    /// <summary>The serial number of what a port shows now, and the protocol that it chose.</summary>
    public async Task<(string Serial, string Protocol)> LookAsync(Uri address, params SslApplicationProtocol[] offered)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        await using var stream = new SslStream(client.GetStream());
        var options = Trusting(null);
        options.TargetHost = address.Host;
        options.ApplicationProtocols = [.. offered];
        await stream.AuthenticateAsClientAsync(options);
        return (((X509Certificate2)stream.RemoteCertificate!).SerialNumber, stream.NegotiatedApplicationProtocol.ToString());
    }

    public void Dispose()
    {
        Authority.Dispose();
        _folder.Dispose();
    }

    private SslClientAuthenticationOptions Trusting((string Certificate, string Key)? own)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(Authority.Certificates);
        return new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = policy,
            ClientCertificateContext = own is { } pair ? SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(pair.Certificate, pair.Key), null, offline: true) : null,
        };
    }
}
