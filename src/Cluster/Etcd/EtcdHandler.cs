using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ReplicatedSqlite.Cluster;

/// <summary>Connections to etcd.</summary>
internal static class EtcdHandler
{
    private static readonly TimeSpan _connectPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _connectionAge = TimeSpan.FromMinutes(5); // then names are resolved and certificates read anew

    public static SocketsHttpHandler Create(EtcdOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = _connectPatience,
            PooledConnectionLifetime = _connectionAge,
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = ConnectAsync,
        };
        if (options.CaFile is { } file)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(file);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        if (options.CertificateFile is { } certificate)
        {
            var current = new CertificateFile(certificate, options.KeyFile!);
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => current.Newest();
        }

        return handler;
    }

    // The kernel notices a peer that vanished without a word, for connections on which nothing is sent: watches.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 2);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A certificate that may be renewed in its files while the node runs.</summary>
    private sealed class CertificateFile(string path, string keyPath)
    {
        private readonly Lock _reading = new();
        private X509Certificate2? _newest; // under _reading
        private DateTime _writtenAt; // under _reading

        public X509Certificate2 Newest()
        {
            lock (_reading)
            {
                var writtenAt = File.GetLastWriteTimeUtc(path);
                if (_newest is null || writtenAt != _writtenAt)
                {
                    try
                    {
                        _newest = X509Certificate2.CreateFromPemFile(path, keyPath);
                        _writtenAt = writtenAt;
                    }
                    catch (Exception e) when (_newest is not null && e is CryptographicException or IOException)
                    {
                        // Half of a pair was written by now; the old one goes on, and the next connection looks again.
                    }
                }

                return _newest!;
            }
        }
    }
}
