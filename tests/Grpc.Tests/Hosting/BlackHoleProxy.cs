using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>A TCP proxy that can stop forwarding while both of its connections stay open: to either side the other looks half dead.</summary>
internal sealed class BlackHoleProxy : IAsyncDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _sockets = []; // locked
    private readonly EndPoint _target;
    private readonly Task _accepting;
    private volatile bool _swallows;

    public BlackHoleProxy(Uri target)
    {
        _target = new IPEndPoint(IPAddress.Loopback, target.Port);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>From now on everything that comes is dropped.</summary>
    public void Swallow() => _swallows = true;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        lock (_sockets)
        {
            foreach (var socket in _sockets) socket.Dispose();
        }

        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = Keep(await _listener.AcceptAsync());
                var server = Keep(new Socket(SocketType.Stream, ProtocolType.Tcp));
                await server.ConnectAsync(_target);
                _ = ForwardAsync(client, server);
                _ = ForwardAsync(server, client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ForwardAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                if (!_swallows) await to.SendAsync(buffer.AsMemory(0, read));
            }

            if (!_swallows) to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // One side is gone.
        }
    }

    private Socket Keep(Socket socket)
    {
        lock (_sockets) _sockets.Add(socket);
        return socket;
    }
}
