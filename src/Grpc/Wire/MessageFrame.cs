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
        Write(message, SizeOf(message), output);
    }

    /// <summary>Writes a message with its header, compressed by gzip if it is of that size at least and gets smaller by it.</summary>
    public static void Write(IMessage message, IBufferWriter<byte> output, int gzipFromBytes)
    {
        ArgumentNullException.ThrowIfNull(output);
        var size = SizeOf(message);
        if (size - HeaderBytes < gzipFromBytes || GzipPayload.TryCompress(message, size - HeaderBytes) is not { } payload)
        {
            Write(message, size, output);
            return;
        }

        WriteHeader(output.GetSpan(HeaderBytes), compressed: true, payload.Length);
        output.Advance(HeaderBytes);
        output.Write(payload.Span);
    }

    /// <summary>Writes a message with its header, uncompressed.</summary>
    /// <param name="message">The message.</param>
    /// <param name="size">Its <see cref="SizeOf"/>.</param>
    /// <param name="output">Where to.</param>
    public static void Write(IMessage message, int size, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
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

    private static void WriteHeader(Span<byte> destination, bool compressed, int length)
    {
        destination[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)length);
    }
}
