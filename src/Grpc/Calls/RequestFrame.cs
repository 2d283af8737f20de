using System.Buffers;
using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>One framed request message in an array from the shared pool.</summary>
internal static class RequestFrame
{
    /// <summary>Serialises; the caller returns the array to the pool once nobody can read it any more.</summary>
    /// <param name="message">The request.</param>
    /// <param name="gzipFromBytes">The size from which it is compressed; <see cref="int.MaxValue"/> for never.</param>
    public static ArraySegment<byte> Serialize(IMessage message, int gzipFromBytes)
    {
        var size = MessageFrame.SizeOf(message);
        if (size - MessageFrame.HeaderBytes >= gzipFromBytes)
        {
            var writer = new ArrayBufferWriter<byte>(256);
            MessageFrame.Write(message, writer, gzipFromBytes);
            var rented = ArrayPool<byte>.Shared.Rent(writer.WrittenCount);
            writer.WrittenSpan.CopyTo(rented);
            return new ArraySegment<byte>(rented, 0, writer.WrittenCount);
        }

        var buffer = ArrayPool<byte>.Shared.Rent(size);
        MessageFrame.Write(message, buffer.AsSpan(0, size));
        return new ArraySegment<byte>(buffer, 0, size);
    }

    /// <summary>Whether the message in a frame is compressed.</summary>
    public static bool IsCompressed(ArraySegment<byte> frame) => frame[0] == 1;
}
