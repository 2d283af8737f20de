using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Testing;

/// <summary>Stands between a client and a server on loopback, and breaks the connection in the ways that networks do.</summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _target;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Connection, bool> _connections = new();
    private readonly Task _accepting;
    private volatile bool _isCut;
    private volatile bool _stallsNew;
    private int _swallows; // by Interlocked

    public TcpProxy(Uri target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients connect.</summary>
    public Uri Endpoint => new UriBuilder(_target) { Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;

    /// <summary>Connections are closed, those that are there and those that come.</summary>
    public void Cut()
    {
        _isCut = true;
        foreach (var connection in _connections.Keys)
        {
            connection.Dispose();
        }
    }

    /// <summary>Nothing passes any more over the connections that are there, and nobody is told.</summary>
    /// <param name="newOnesToo">Also over those that come.</param>
    public void Stall(bool newOnesToo)
    {
        _stallsNew = newOnesToo;
        foreach (var connection in _connections.Keys)
        {
            connection.Stall();
        }
    }

    /// <summary>The next pieces of answers are lost, each with its connection, and nobody is told.</summary>
    public void SwallowAnswers(int count) => Volatile.Write(ref _swallows, count);

    /// <summary>New connections work. Those that are stalled stay so.</summary>
    public void Heal() => (_isCut, _stallsNew) = (false, false);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        Cut();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = new Connection(client);
        if (_isCut)
        {
            return;
        }

        _connections[connection] = true;
        if (_stallsNew)
        {
            connection.Stall();
        }

        try
        {
            await connection.Server.ConnectAsync(_target.Host, _target.Port, _stopping.Token);
            await Task.WhenAny(connection.PumpAsync(client, connection.Server, static () => false), connection.PumpAsync(connection.Server, client, TakeSwallow));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Nobody is behind it.
        }
        finally
        {
            _connections.TryRemove(connection, out _);
        }
    }

    private bool TakeSwallow()
    {
        if (Interlocked.Decrement(ref _swallows) >= 0)
        {
            return true;
        }

        Interlocked.Increment(ref _swallows);
        return false;
    }

    private sealed class Connection(TcpClient client) : IDisposable
    {
        private readonly TaskCompletionSource _ended = new();
        private volatile bool _isStalled;

        public TcpClient Server { get; } = new() { NoDelay = true };

        public void Stall() => _isStalled = true;

        public async Task PumpAsync(TcpClient from, TcpClient to, Func<bool> isSwallowed)
        {
            try
            {
                var buffer = new byte[64 << 10];
                while (true)
                {
                    var count = await from.GetStream().ReadAsync(buffer);
                    _isStalled |= count > 0 && isSwallowed();
                    if (_isStalled)
                    {
                        await _ended.Task;
                        return;
                    }

                    if (count == 0)
                    {
                        return;
                    }

                    await to.GetStream().WriteAsync(buffer.AsMemory(0, count));
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // One side went.
            }
        }

        public void Dispose()
        {
            client.Dispose();
            Server.Dispose();
            _ended.TrySetResult();
        }
    }
}
