using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>The five bytes before each message: a compressed flag and the length, big-endian.</summary>
/// <param name="Compressed">Whether the payload is in the call's <c>grpc-encoding</c>.</param>
/// <param name="Length">Bytes of the payload.</param>
public readonly record struct MessageFrame(bool Compressed, int Length)
{
    /// <summary>Bytes before each payload.</summary>
    public const int HeaderBytes = 5;

    // Up to here a message is written into one contiguous span, which is faster; beyond it block by block.
    private const int ContiguousBytes = 16 * 1024;

    /// <summary>Reads a header.</summary>
    /// <exception cref="RpcException">INTERNAL for a flag other than 0 and 1; RESOURCE_EXHAUSTED for a payload above the limit.</exception>
    public static MessageFrame Parse(ReadOnlySpan<byte> header, int maxMessageBytes)
    {
        var flag = header[0];
        if (flag > 1)
            throw new RpcException(StatusCode.Internal, $"A message's compressed flag is {flag}; 0 or 1 was wanted. The stream is not gRPC, or damaged.");
        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > (uint)maxMessageBytes)
            throw new MessageTooLargeException(length, maxMessageBytes);
        return new MessageFrame(flag == 1, (int)length);
    }

    /// <summary>Bytes of a message with its header, uncompressed.</summary>
    public static int SizeOf(IMessage message) => checked(HeaderBytes + message.CalculateSize());

    /// <summary>Writes a message with its header into exactly <see cref="SizeOf"/> bytes.</summary>
    public static void Write(IMessage message, Span<byte> destination)
    {
        WriteHeader(destination, compressed: false, destination.Length - HeaderBytes);
        message.WriteTo(destination[HeaderBytes..]);
    }

    /// <summary>Writes a message with its header.</summary>
    public static void Write(IMessage message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var size = SizeOf(message);
        if (size <= ContiguousBytes)
        {
            Write(message, output.GetSpan(size)[..size]);
            output.Advance(size);
            return;
        }

        WriteHeader(output.GetSpan(HeaderBytes), compressed: false, size - HeaderBytes);
        output.Advance(HeaderBytes);
        message.WriteTo(output);
    }

    /// <summary>Writes a message compressed by gzip, with its header.</summary>
    public static void WriteGzip(IMessage message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var payload = GzipPayload.Compress(message);
        WriteHeader(output.GetSpan(HeaderBytes), compressed: true, payload.Length);
        output.Advance(HeaderBytes);
        output.Write(payload.Span);
    }

    private static void WriteHeader(Span<byte> destination, bool compressed, int length)
    {
        destination[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)length);
    }
}
