using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>A server that lets each request come in whole, answers it with given frames and hangs up, unless they only reset the stream: for what Kestrel would not do.</summary>
internal sealed class RawHttp2Server : IAsyncDisposable
{
    private const byte ResetStream = 3;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<int, byte[]> _answer;
    private readonly Task _accepting;
    private int _requests;

    /// <param name="answer">The frames for the request on a stream of that number.</param>
    public RawHttp2Server(Func<int, byte[]> answer)
    {
        _answer = answer;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Requests that came in whole.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public static byte[] GoAway(int lastStream, int errorCode)
    {
        var payload = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
        BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(4), errorCode);
        return RawHttp2.Frame(7, 0, 0, payload);
    }

    public static byte[] Reset(int stream, int errorCode)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, errorCode);
        return RawHttp2.Frame(ResetStream, 0, stream, payload);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                await stream.WriteAsync(RawHttp2.Frame(RawHttp2.Settings, 0, 0, []));
                await stream.ReadExactlyAsync(new byte[24]); // the preface
                byte[] answer;
                do
                {
                    var request = await ReadRequestAsync(stream);
                    Interlocked.Increment(ref _requests);
                    answer = _answer(request);
                    await stream.WriteAsync(answer);
                }
                while (answer is [_, _, _, ResetStream, _, _, _, _, _, _, _, _, _]); // and no more: the end of the connection could overtake it in the client

                client.Client.Shutdown(SocketShutdown.Send);
                await stream.CopyToAsync(Stream.Null); // else what is unread would reset the connection
            }
            catch (IOException)
            {
                // The client hung up first.
            }
        }
    }

    private static async Task<int> ReadRequestAsync(NetworkStream stream)
    {
        var header = new byte[9];
        while (true)
        {
            await stream.ReadExactlyAsync(header);
            await stream.ReadExactlyAsync(new byte[BinaryPrimitives.ReadInt32BigEndian(header) >> 8]);
            if (header[3] == RawHttp2.Data && (header[4] & RawHttp2.EndStream) != 0) return BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5));
        }
    }
}
