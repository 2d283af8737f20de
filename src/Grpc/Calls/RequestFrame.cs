using System.Buffers;
using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>One framed request message in an array from the shared pool.</summary>
internal static class RequestFrame
{
    /// <summary>Serialises; the caller returns the array to the pool once nobody can read it any more.</summary>
    public static ArraySegment<byte> Serialize(IMessage message, bool gzip)
    {
        if (gzip)
        {
            var writer = new ArrayBufferWriter<byte>(256);
            MessageFrame.WriteGzip(message, writer);
            var rented = ArrayPool<byte>.Shared.Rent(writer.WrittenCount);
            writer.WrittenSpan.CopyTo(rented);
            return new ArraySegment<byte>(rented, 0, writer.WrittenCount);
        }

        var size = MessageFrame.SizeOf(message);
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        MessageFrame.Write(message, buffer.AsSpan(0, size));
        return new ArraySegment<byte>(buffer, 0, size);
    }
}
