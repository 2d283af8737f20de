using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The header of one group: what one write and one sync made durable together (docs/formats.md).</summary>
internal readonly record struct GroupHeader(
    ulong Number, Guid FileId, int Offset, int BodyBytes, int RecordCount, JournalPlace SyncedEnd, uint BodyChecksum)
{
    public const int SizeBytes = 64;
    private const int ChecksumOffset = 60;

    public static ReadOnlySpan<byte> Magic => "RSJGROUP"u8;

    public int TotalBytes => SizeBytes + BodyBytes;

    public void Write(Span<byte> target)
    {
        target[..SizeBytes].Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], Number);
        FileId.TryWriteBytes(target[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(target[32..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(target[36..], BodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target[40..], RecordCount);
        BinaryPrimitives.WriteInt32LittleEndian(target[44..], SyncedEnd.File);
        BinaryPrimitives.WriteInt32LittleEndian(target[48..], SyncedEnd.Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(target[52..], BodyChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(target[ChecksumOffset..], Crc32C.Of(target[..ChecksumOffset]));
    }

    /// <summary>Reads a header that stands at <paramref name="offset"/> of a file of <paramref name="fileSizeBytes"/>.</summary>
    /// <returns>What is wrong with it, or <see langword="null"/>.</returns>
    public static string? TryRead(ReadOnlySpan<byte> source, int offset, long fileSizeBytes, out GroupHeader header)
    {
        header = default;
        if (source.Length < SizeBytes || !source.StartsWith(Magic))
        {
            return "no group was found";
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumOffset..]);
        var computed = Crc32C.Of(source[..ChecksumOffset]);
        if (stored != computed)
        {
            return $"a group header with checksum {stored:x8} was found instead of {computed:x8}";
        }

        header = new(
            BinaryPrimitives.ReadUInt64LittleEndian(source[8..]),
            new Guid(source.Slice(16, 16), bigEndian: true),
            BinaryPrimitives.ReadInt32LittleEndian(source[32..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[36..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[40..]),
            new(BinaryPrimitives.ReadInt32LittleEndian(source[44..]), BinaryPrimitives.ReadInt32LittleEndian(source[48..])),
            BinaryPrimitives.ReadUInt32LittleEndian(source[52..]));
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[56..]) is var reserved and not 0)
        {
            return $"a group header with {reserved:x8} in its reserved bytes was found";
        }

        if (header.Offset != offset)
        {
            return $"a group header written for offset {header.Offset} was found";
        }

        return header.BodyBytes < 0 || header.RecordCount < 0 || offset + (long)header.TotalBytes > fileSizeBytes
            ? $"a group of {header.BodyBytes} bytes and {header.RecordCount} records was found that does not fit the file"
            : null;
    }
}
