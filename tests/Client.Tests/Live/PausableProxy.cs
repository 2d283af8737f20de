using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Client.Tests;

/// <summary>Stands between a client and a node: can hold every byte back, as a node does that hangs, or break all connections, as one does that is killed.</summary>
internal sealed class PausableProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly List<Socket> _sockets = [];
    private readonly Task _accepting;
    private volatile TaskCompletionSource? _pause;
    private volatile TaskCompletionSource? _swallowRequests;
    private volatile TaskCompletionSource? _swallowAnswers;
    private volatile bool _isDead;

    public PausableProxy(string target)
    {
        _listener.Start();
        _accepting = AcceptAsync(IPEndPoint.Parse(target));
    }

    public string Endpoint => _listener.LocalEndpoint.ToString()!;

    public void Hang() => _pause = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void GoOn() => Interlocked.Exchange(ref _pause, null)?.TrySetResult();

    /// <summary>What the client sends from now on does not arrive. Completes when something was lost.</summary>
    public Task LoseRequests() => (_swallowRequests = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>What the node sends from now on does not arrive. Completes when something was lost.</summary>
    public Task LoseAnswers() => (_swallowAnswers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Connections break; new ones are as good as ever.</summary>
    public void Break()
    {
        _swallowRequests = _swallowAnswers = null;
        lock (_sockets)
        {
            foreach (var socket in _sockets) socket.Close(0);
            _sockets.Clear();
        }
    }

    /// <summary>Connections break, and new ones are refused.</summary>
    public void Kill()
    {
        _isDead = true;
        _listener.Stop();
        lock (_sockets)
        {
            foreach (var socket in _sockets) socket.Close(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        GoOn();
        Kill();
        await _accepting;
        _closing.Dispose();
    }

    private async Task AcceptAsync(IPEndPoint target)
    {
        while (!_isDead)
        {
            Socket near;
            try
            {
                near = await _listener.AcceptSocketAsync(_closing.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            near.NoDelay = true;
            lock (_sockets) _sockets.AddRange([near, far]);
            try
            {
                await far.ConnectAsync(target, _closing.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                return;
            }

            _ = CopyAsync(near, far, () => _swallowRequests);
            _ = CopyAsync(far, near, () => _swallowAnswers);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, Func<TaskCompletionSource?> swallow)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _closing.Token) is var count and > 0)
            {
                if (_pause is { } pause) await pause.Task;
                if (swallow() is { } lost)
                {
                    lost.TrySetResult();
                    continue;
                }

                await to.SendAsync(buffer.AsMemory(0, count), _closing.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed from one side or the other.
        }
        finally
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
