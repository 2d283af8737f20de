using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ReplicatedSqlite.Node;

/// <summary>Certificates and keys as the files had them at one moment, checked. Immutable.</summary>
internal sealed record TlsMaterial
{
    /// <summary>What the ports show.</summary>
    public required SslStreamCertificateContext Server { get; init; }

    /// <summary>What this node shows to others.</summary>
    public required SslStreamCertificateContext Node { get; init; }

    /// <summary>Who signs nodes.</summary>
    public required X509Certificate2Collection NodeAuthorities { get; init; }

    /// <summary>Who signs the ports of other nodes.</summary>
    public required X509Certificate2Collection ServerAuthorities { get; init; }

    /// <summary>When the first of the own certificates expires.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Of the files' bytes: another one means that something changed.</summary>
    public static string FingerprintOf(TlsOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Files(options))
        {
            hash.AppendData(File.ReadAllBytes(file));
            hash.AppendData([0]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <exception cref="InvalidOperationException">A file is missing, or does not hold what it should; the text says which.</exception>
    public static TlsMaterial Load(TlsOptions options, DateTimeOffset now)
    {
        if (options.NodeCertificateFile is null != options.NodeKeyFile is null)
        {
            throw new InvalidOperationException("Of nodeCertificate and nodeKey one is named and the other is not. Name both, or neither to show other nodes the server's certificate.");
        }

        var server = LoadPair(options.CertificateFile, options.KeyFile, now);
        var node = options.NodeCertificateFile is { } certificate ? LoadPair(certificate, options.NodeKeyFile!, now) : server;
        var authorities = LoadAuthorities(options.NodeAuthorityFile);
        return new TlsMaterial
        {
            Server = server,
            Node = node,
            NodeAuthorities = authorities,
            ServerAuthorities = options.ServerAuthorityFile is { } file ? LoadAuthorities(file) : authorities,
            ExpiresAt = new[] { server, node }.Min(pair => new DateTimeOffset(pair.TargetCertificate.NotAfter.ToUniversalTime())),
        };
    }

    private static IEnumerable<string> Files(TlsOptions options) => new[]
    {
        options.CertificateFile, options.KeyFile, options.NodeAuthorityFile, options.NodeCertificateFile, options.NodeKeyFile, options.ServerAuthorityFile,
    }.OfType<string>();

    private static SslStreamCertificateContext LoadPair(string certificateFile, string keyFile, DateTimeOffset now)
    {
        var (text, key) = (Read(certificateFile), Read(keyFile));
        try
        {
            var leaf = X509Certificate2.CreateFromPem(text, key);
            if (now >= leaf.NotAfter.ToUniversalTime() || now < leaf.NotBefore.ToUniversalTime())
            {
                throw new InvalidOperationException(
                    $"The certificate in '{certificateFile}' is valid from {leaf.NotBefore.ToUniversalTime():u} to {leaf.NotAfter.ToUniversalTime():u}, and now it is {now:u}. Put one there that is valid.");
            }

            var all = new X509Certificate2Collection();
            all.ImportFromPem(text);
            return SslStreamCertificateContext.Create(leaf, [.. all.Skip(1)], offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidOperationException(
                $"'{certificateFile}' and '{keyFile}' are no certificate and the private key that belongs to it, both in PEM and the key without a password: {e.Message}", e);
        }
    }

    private static X509Certificate2Collection LoadAuthorities(string file)
    {
        var text = Read(file);
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new InvalidOperationException($"'{file}' cannot be read as certificates in PEM: {e.Message}", e);
        }

        var begun = text.Split("BEGIN CERTIFICATE").Length - 1; // of two files put together without a line's end between them only one is found
        return authorities.Count > 0 && authorities.Count == begun
            ? authorities
            : throw new InvalidOperationException($"'{file}' begins {begun} certificates, and {authorities.Count} can be read; one authority or several were wanted, in PEM, each 'BEGIN' and 'END' on a line of its own.");
    }

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file, Encoding.ASCII);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"'{file}' cannot be read: {e.Message}", e);
        }
    }
}
