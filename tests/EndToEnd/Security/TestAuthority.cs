using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A certificate authority for the time of a test. It writes what it signs as PEM files.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static int _serial;

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    public TestAuthority(string name)
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        _certificate = request.CreateSelfSigned(Now.AddDays(-10), Now.AddDays(30));
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>Its own certificate.</summary>
    public string Pem => _certificate.ExportCertificatePem() + "\n";

    public X509Certificate2Collection Certificates => [_certificate];

    /// <summary>A certificate for a node, and its key.</summary>
    public (string Certificate, string Key) Sign(string name, IPAddress? address = null, TimeSpan? age = null, TimeSpan? life = null, string? issuerAt = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        if (address is not null)
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false)); // server and client
        if (issuerAt is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(ocspUris: [], caIssuersUris: [issuerAt]));
        }

        var start = Now - (age ?? TimeSpan.FromHours(1));
        using var signed = request.Create(_certificate, start, start + (life ?? TimeSpan.FromDays(20)), BitConverter.GetBytes(Interlocked.Increment(ref _serial)));
        return (signed.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
