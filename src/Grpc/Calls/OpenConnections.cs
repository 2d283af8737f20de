using System.Net.Security;
using System.Net.Sockets;

namespace ReplicatedSqlite.Grpc;

/// <summary>The sockets of a channel, so that closing it ends the calls on them.</summary>
/// <param name="tls">Asked for each encrypted connection; unset: the handler encrypts.</param>
internal sealed class OpenConnections(Func<SslClientAuthenticationOptions>? tls)
{
    private readonly Lock _gate = new();
    private readonly List<Socket> _sockets = [];
    private bool _isClosed;

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isClosed, typeof(GrpcChannel));
                _sockets.RemoveAll(known => !known.Connected); // closed ones go here, so the list stays as short as the connections are few
                _sockets.Add(socket);
            }

            var stream = new NetworkStream(socket, ownsSocket: true);
            return tls is not null && context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps
                ? await EncryptAsync(stream, tls(), context.DnsEndPoint.Host, cancellationToken).ConfigureAwait(false)
                : stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // The handler takes an encrypted stream as it is.
    private static async ValueTask<Stream> EncryptAsync(NetworkStream stream, SslClientAuthenticationOptions options, string host, CancellationToken cancellationToken)
    {
        options.TargetHost = host;
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        var encrypted = new SslStream(stream);
        try
        {
            await encrypted.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
            return encrypted;
        }
        catch
        {
            await encrypted.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach (var socket in _sockets) socket.Dispose();
            _sockets.Clear();
        }
    }
}
