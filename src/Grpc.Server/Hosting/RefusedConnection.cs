using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>A connection too many: for a moment each of its calls is refused, so that the client knows that nothing was done; then it has to go.</summary>
/// <remarks>
/// A GOAWAY alone, as the first thing that the client hears, is not enough: HttpClient then often loses the reason, and with it that the call was not looked at.
/// Source: RFC 9113, sections 3.4, 4.1, 6.4, 6.5, 6.8 and 8.7.
/// </remarks>
internal static class RefusedConnection
{
    private const int PrefaceBytes = 24, HeaderBytes = 9, MaxFrameBytes = 16 * 1024; // the largest frame, as nothing else was allowed
    private const byte Headers = 1, ResetStream = 3, Settings = 4, GoAway = 7, Ack = 1;
    private const int RefusedStream = 0x7, EnhanceYourCalm = 0xb;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly byte[] Farewell = Frame(GoAway, 0, 0, [0, 0, 0, 0, .. BigEndian(EnhanceYourCalm), .. Encoding.ASCII.GetBytes("Too many connections.")]); // stream 0: none was looked at

    public static async Task RunAsync(IDuplexPipe transport)
    {
        try
        {
            using (var patience = new CancellationTokenSource(Patience))
            {
                await transport.Output.WriteAsync(Frame(Settings, 0, 0, []), patience.Token);
                await RefuseCallsAsync(transport, patience.Token);
            }

            using var leaving = new CancellationTokenSource(Patience);
            await transport.Output.WriteAsync(Farewell, leaving.Token);
            await transport.Output.CompleteAsync();

            // What still comes is read until the client hangs up: closing before that would reset the connection, and the client would not see the answer.
            while (true)
            {
                var read = await transport.Input.ReadAsync(leaving.Token);
                if (read.IsCompleted) break;
                transport.Input.AdvanceTo(read.Buffer.End);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // It neither reads nor hangs up, or is gone.
        }
    }

    // Until the time is up, the client hangs up, or sends what is not HTTP/2.
    private static async Task RefuseCallsAsync(IDuplexPipe transport, CancellationToken cancellationToken)
    {
        var prefaceRead = false;
        try
        {
            while (true)
            {
                var read = await transport.Input.ReadAsync(cancellationToken);
                var rest = read.Buffer;
                if (!prefaceRead && rest.Length >= PrefaceBytes)
                {
                    rest = rest.Slice(PrefaceBytes);
                    prefaceRead = true;
                }

                while (prefaceRead && TryAnswer(ref rest, transport.Output))
                {
                    // Frame by frame.
                }

                transport.Input.AdvanceTo(rest.Start, read.Buffer.End);
                await transport.Output.FlushAsync(cancellationToken);
                if (read.IsCompleted || rest.Length > HeaderBytes + MaxFrameBytes) return;
            }
        }
        catch (OperationCanceledException)
        {
            // The time is up.
        }
    }

    // False if the frame is not there as a whole yet.
    private static bool TryAnswer(ref ReadOnlySequence<byte> rest, PipeWriter output)
    {
        if (rest.Length < HeaderBytes) return false;
        Span<byte> header = stackalloc byte[HeaderBytes];
        rest.Slice(0, HeaderBytes).CopyTo(header);
        var length = BinaryPrimitives.ReadInt32BigEndian(header) >>> 8;
        if (rest.Length < HeaderBytes + length) return false;
        rest = rest.Slice(HeaderBytes + length);
        if (header[3] == Headers) output.Write(Frame(ResetStream, 0, BinaryPrimitives.ReadInt32BigEndian(header[5..]) & int.MaxValue, BigEndian(RefusedStream)));
        else if (header[3] == Settings && (header[4] & Ack) == 0) output.Write(Frame(Settings, Ack, 0, []));
        return true;
    }

    private static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[HeaderBytes + payload.Length];
        frame[2] = (byte)payload.Length; // all of ours are short
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(HeaderBytes));
        return frame;
    }

    private static byte[] BigEndian(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
