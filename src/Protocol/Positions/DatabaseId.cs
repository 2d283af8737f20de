using System.Buffers.Binary;
using System.Numerics;

namespace ReplicatedSqlite.Protocol;

/// <summary>Names one database for ever: ids are random and never used again, names may be.</summary>
public readonly record struct DatabaseId(Guid Value)
{
    /// <summary>Bytes of the binary form: the UUID, big-endian.</summary>
    public const int SizeBytes = 16;

    /// <summary>The id's share of a bookmark's tag: CRC-32C of its 16 bytes.</summary>
    /// <remarks>It tells a foreign bookmark from our own; it guards against mix-ups, not against forgers.</remarks>
    public uint Tag
    {
        get
        {
            Span<byte> bytes = stackalloc byte[SizeBytes];
            Write(bytes);
            return BitOperations.Crc32C(
                BitOperations.Crc32C(uint.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(bytes)),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
        }
    }

    /// <summary>Writes the 16 bytes, big-endian.</summary>
    public void Write(Span<byte> destination) => Value.TryWriteBytes(destination, bigEndian: true, out _);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static DatabaseId Read(ReadOnlySpan<byte> source) => new(new Guid(source[..SizeBytes], bigEndian: true));

    /// <summary>The UUID in its usual text form.</summary>
    public override string ToString() => Value.ToString("D");
}
