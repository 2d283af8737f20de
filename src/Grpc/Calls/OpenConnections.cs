using System.Net.Sockets;

namespace ReplicatedSqlite.Grpc;

/// <summary>The sockets of a channel, so that closing it ends the calls on them.</summary>
internal sealed class OpenConnections
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

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
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
