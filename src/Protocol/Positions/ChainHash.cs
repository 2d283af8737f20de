using System.Buffers.Binary;

namespace ReplicatedSqlite.Protocol;

/// <summary>The first 16 bytes of a SHA-256 over everything in the log up to one entry, kept as two big-endian halves.</summary>
public readonly record struct ChainHash(ulong High, ulong Low)
{
    /// <summary>Bytes of the binary form.</summary>
    public const int SizeBytes = 16;

    /// <summary>Before the first entry.</summary>
    public static ChainHash Zero => default;

    /// <summary>The entry's share of a bookmark's tag.</summary>
    public uint Tag => (uint)(High >> 32);

    /// <summary>Reads 16 bytes.</summary>
    public static ChainHash Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt64BigEndian(source[8..]));

    /// <summary>Writes 16 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], Low);
    }

    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
