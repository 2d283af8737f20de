using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace ReplicatedSqlite.Node;

/// <summary>Answers health checks on the HTTP port while the node still waits for its control plane: live, but not ready. The server that takes the port over later finds no gap.</summary>
/// <remarks>Only as much HTTP as a health check needs; everything else is told to come back.</remarks>
internal sealed class StartingHealth : IAsyncDisposable
{
    private const int MaxRequestBytes = 8 * 1024;
    private const int MaxConnections = 16; // further ones wait to be accepted

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2); // with one caller
    private readonly Socket _listener;
    private readonly Func<SslStreamCertificateContext>? _certificate;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly Task _accepting;

    /// <param name="listener">Bound; it stays open.</param>
    /// <param name="certificate">What the port shows; unset: it is not encrypted.</param>
    public StartingHealth(Socket listener, Func<SslStreamCertificateContext>? certificate = null)
    {
        _listener = listener;
        _certificate = certificate;
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        for (var i = 0; i < MaxConnections; i++)
        {
            await _places.WaitAsync(); // until all have left: each looks at _stopping
        }

        _places.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            await _places.WaitAsync(); // who is in leaves within _patience
            try
            {
                _ = AnswerAsync(await _listener.AcceptAsync(_stopping.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                _places.Release(); // nobody came after all
            }
        }
    }

    private async Task AnswerAsync(Socket caller)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            patience.CancelAfter(_patience);
            await using var stream = await OpenAsync(caller, patience.Token);
            var request = new byte[MaxRequestBytes];
            var length = 0;
            while (length < request.Length && request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
            {
                var read = await stream.ReadAsync(request.AsMemory(length), patience.Token);
                if (read == 0)
                {
                    return;
                }

                length += read;
            }

            var isLive = request.AsSpan(0, length).StartsWith("GET /health/live "u8);
            var (status, body) = isLive ? ("200 OK", "live\n") : ("503 Service Unavailable", "not ready: the control plane was not reached yet\n");
            var answer = $"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), patience.Token);
            if (stream is SslStream encrypted)
            {
                await encrypted.ShutdownAsync();
            }

            caller.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException)
        {
            // The caller has gone, or dawdles, or does not encrypt.
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<Stream> OpenAsync(Socket caller, CancellationToken cancellationToken)
    {
        var plain = new NetworkStream(caller, ownsSocket: true);
        if (_certificate is null)
        {
            return plain;
        }

        var encrypted = new SslStream(plain);
        try
        {
            await encrypted.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificateContext = _certificate(), EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 }, cancellationToken);
            return encrypted;
        }
        catch
        {
            await encrypted.DisposeAsync();
            throw;
        }
    }
}
