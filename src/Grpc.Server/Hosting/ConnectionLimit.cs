using System.Buffers.Binary;
using Microsoft.AspNetCore.Connections;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Lets so many connections in. Others are told so in HTTP/2's own words, where Kestrel's limit would only hang up.</summary>
/// <remarks>Source: RFC 9113, sections 3.4, 6.5 and 6.8.</remarks>
internal sealed class ConnectionLimit(int limit, ConnectionDelegate next)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly byte[] GoAway = BuildGoAway("Too many connections.");

    private int _open; // by Interlocked

    public async Task OnConnectedAsync(ConnectionContext connection)
    {
        try
        {
            if (Interlocked.Increment(ref _open) <= limit) await next(connection);
            else await RefuseAsync(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    // What the client has sent is read until it hangs up: closing before that would reset the connection, and the client would not see the answer.
    private static async Task RefuseAsync(ConnectionContext connection)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await connection.Transport.Output.WriteAsync(GoAway, patience.Token);
            await connection.Transport.Output.CompleteAsync();
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync(patience.Token);
                if (read.IsCompleted) break;
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // It neither reads nor hangs up, or is gone.
        }
    }

    private static byte[] BuildGoAway(string text)
    {
        const int HeaderBytes = 9, FixedBytes = 8, EnhanceYourCalm = 0xb;
        var bytes = new byte[HeaderBytes + HeaderBytes + FixedBytes + text.Length];
        bytes[3] = 4; // a server begins with SETTINGS; these are empty
        var frame = bytes.AsSpan(HeaderBytes);
        frame[2] = (byte)(FixedBytes + text.Length);
        frame[3] = 7; // GOAWAY, with stream 0 as the last one that was looked at
        BinaryPrimitives.WriteInt32BigEndian(frame[(HeaderBytes + 4)..], EnhanceYourCalm);
        System.Text.Encoding.ASCII.GetBytes(text, frame[(HeaderBytes + FixedBytes)..]);
        return bytes;
    }
}
