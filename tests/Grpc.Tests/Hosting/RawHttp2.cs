using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace ReplicatedSqlite.Grpc.Tests;

/// <summary>HTTP/2 frame by frame, for what no client would send. Headers are literals without compression.</summary>
/// <remarks>Source: RFC 9113 and RFC 7541.</remarks>
internal sealed class RawHttp2 : IDisposable
{
    public const byte Data = 0, Headers = 1, Settings = 4;
    public const byte EndStream = 1, EndHeaders = 4;

    private readonly TcpClient _tcp = new() { NoDelay = true };
    private Stream _stream = Stream.Null; // of the connection

    public static byte[] Preface => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, [])];

    public static async Task<RawHttp2> ConnectAsync(Uri address)
    {
        var connection = new RawHttp2();
        await connection._tcp.ConnectAsync(address.Host, address.Port);
        connection._stream = connection._tcp.GetStream();
        return connection;
    }

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>The headers of a call, and those given instead of or besides the usual ones.</summary>
    public static byte[] Call(int stream, string path, params (string Name, string Value)[] headers)
    {
        (string Name, string Value)[] usual = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"), ("content-type", "application/grpc"), ("te", "trailers")];
        var block = new List<byte>();
        foreach (var (name, value) in usual.Where(header => !headers.Any(other => other.Name == header.Name)).Concat(headers))
        {
            block.Add(0);
            AddText(block, name);
            AddText(block, value);
        }

        return Frame(Headers, EndHeaders, stream, [.. block]);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _stream.WriteAsync(bytes);

    /// <summary>Reads until this text has come.</summary>
    public async Task ReadUntilAsync(string text)
    {
        var received = new StringBuilder();
        var buffer = new byte[4096];
        while (!received.ToString().Contains(text, StringComparison.Ordinal))
        {
            var read = await _stream.ReadAsync(buffer);
            Assert.True(read > 0, $"The server closed the connection before '{text}' came.");
            received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
    }

    /// <summary>Says that nothing more comes, and reads what the server still sends until it closes.</summary>
    public async Task<byte[]> EndAsync()
    {
        var received = new MemoryStream();
        try
        {
            _tcp.Client.Shutdown(SocketShutdown.Send);
            await _stream.CopyToAsync(received);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Reset: an end as well.
        }

        return received.ToArray();
    }

    public void Dispose() => _tcp.Dispose();

    private static void AddText(List<byte> block, string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        if (bytes.Length < 127)
        {
            block.Add((byte)bytes.Length);
        }
        else
        {
            block.Add(127);
            var rest = bytes.Length - 127;
            for (; rest >= 128; rest >>= 7) block.Add((byte)((rest & 127) | 128));
            block.Add((byte)rest);
        }

        block.AddRange(bytes);
    }
}
