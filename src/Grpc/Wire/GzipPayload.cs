using System.Buffers;
using System.IO.Compression;
using Google.Protobuf;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>Payloads under <c>grpc-encoding: gzip</c>.</summary>
public static class GzipPayload
{
    /// <summary>A message in its compressed form.</summary>
    public static ReadOnlyMemory<byte> Compress(IMessage message)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true))
            message.WriteTo(gzip);
        return target.GetBuffer().AsMemory(0, (int)target.Length);
    }

    /// <summary>A message in its compressed form; <see langword="null"/> if that would not be smaller than its own size.</summary>
    public static ReadOnlyMemory<byte>? TryCompress(IMessage message, int size)
    {
        var compressed = Compress(message);
        if (compressed.Length < size) return compressed;
        return null; // not by `?:`, where null would turn into an empty memory instead of none
    }

    /// <summary>Decompresses into a buffer of the caller's pool; the caller returns the array.</summary>
    /// <exception cref="RpcException">INTERNAL: the bytes are not gzip.</exception>
    /// <exception cref="MessageTooLargeException">More than <paramref name="maxMessageBytes"/> come out; nothing beyond is decompressed.</exception>
    public static (byte[] Rented, int Length) Decompress(ReadOnlySequence<byte> payload, int maxMessageBytes)
    {
        var input = payload.IsSingleSegment && System.Runtime.InteropServices.MemoryMarshal.TryGetArray(payload.First, out var segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(payload.ToArray(), writable: false);
        var output = ArrayPool<byte>.Shared.Rent((int)Math.Min(maxMessageBytes, Math.Max(1024L, payload.Length * 4)));
        try
        {
            using var gzip = new GZipStream(input, CompressionMode.Decompress);
            var length = 0;
            while (true)
            {
                if (length == output.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, output.Length * 2L));
                    output.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(output);
                    output = larger;
                }

                var read = gzip.Read(output.AsSpan(length));
                if (read == 0) return (output, length);
                length += read;
                if (length > maxMessageBytes) throw new MessageTooLargeException(length, maxMessageBytes);
            }
        }
        catch (Exception e)
        {
            ArrayPool<byte>.Shared.Return(output);
            if (e is InvalidDataException)
                throw new RpcException(StatusCode.Internal, "A message is marked as compressed by gzip, but its bytes are not gzip.", innerException: e);
            throw;
        }
        finally
        {
            input.Dispose();
        }
    }
}
