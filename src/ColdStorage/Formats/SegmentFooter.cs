using System.Buffers.Binary;
using System.Numerics;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>What a segment says about itself (docs/formats.md, "Segment").</summary>
internal sealed record SegmentFooter
{
    public const int HeadBytes = 16;
    public const int SizeBytes = 256;
    public const int PartCount = 4;

    private const byte Version = 1;
    private const int VersionOffset = 8;
    private const int PartsOffset = 108;
    private const int PartBytes = 24;
    private const int ChecksumOffset = 244;
    private const int EndOffset = 248;

    public required DatabaseId Database { get; init; }

    public required Position First { get; init; }

    public required Position Last { get; init; }

    public required long FirstCommitTime { get; init; }

    public required long LastCommitTime { get; init; }

    public required int PageSizeBytes { get; init; }

    public required uint SizePages { get; init; }

    public required uint LeastSizePages { get; init; }

    public required int EntryCount { get; init; }

    public required int PageCount { get; init; }

    public required SegmentPart Entries { get; init; }

    public required SegmentPart Pages { get; init; }

    public required SegmentPart Index { get; init; }

    public required SegmentPart Epochs { get; init; }

    /// <summary>The object's size.</summary>
    public long ObjectBytes => HeadBytes + Entries.StoredBytes + Pages.StoredBytes + Index.StoredBytes + Epochs.StoredBytes + SizeBytes;

    private SegmentPart[] AllParts => [Entries, Pages, Index, Epochs];

    private static ReadOnlySpan<byte> Magic => "RSSEGMNT"u8;

    private static ReadOnlySpan<byte> EndMarker => "RSSEGEND"u8;

    public static byte[] Head()
    {
        var head = new byte[HeadBytes];
        Magic.CopyTo(head);
        head[VersionOffset] = Version;
        return head;
    }

    public byte[] Write()
    {
        var bytes = new byte[SizeBytes];
        Database.Write(bytes);
        PositionBytes.Write(bytes.AsSpan(16), First);
        PositionBytes.Write(bytes.AsSpan(44), Last);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(72), FirstCommitTime);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(80), LastCommitTime);
        bytes[88] = (byte)BitOperations.Log2((uint)PageSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(92), SizePages);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(96), LeastSizePages);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(100), EntryCount);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(104), PageCount);
        var offset = PartsOffset;
        foreach (var part in AllParts)
        {
            part.Write(bytes.AsSpan(offset));
            offset += PartBytes;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumOffset), Checksum(Head(), bytes));
        EndMarker.CopyTo(bytes.AsSpan(EndOffset));
        return bytes;
    }

    /// <summary>Reads a footer and checks it against the object's name and size.</summary>
    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public static string? TryRead(ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes, long objectBytes, out SegmentFooter? footer)
    {
        footer = null;
        if (!head.StartsWith(Magic))
        {
            return $"it begins with {Convert.ToHexStringLower(head[..Magic.Length])}; {Convert.ToHexStringLower(Magic)} was wanted";
        }

        if (head[VersionOffset] != Version)
        {
            return $"version {head[VersionOffset]} was found; this build knows {Version}";
        }

        if (!bytes[EndOffset..].SequenceEqual(EndMarker))
        {
            return "its end marker is missing: it was cut short";
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]);
        if (Checksum(head, bytes) is var computed && stored != computed)
        {
            return $"its footer has checksum {stored:x8}; {computed:x8} was wanted";
        }

        var found = new SegmentFooter
        {
            Database = DatabaseId.Read(bytes),
            First = PositionBytes.Read(bytes[16..]),
            Last = PositionBytes.Read(bytes[44..]),
            FirstCommitTime = BinaryPrimitives.ReadInt64LittleEndian(bytes[72..]),
            LastCommitTime = BinaryPrimitives.ReadInt64LittleEndian(bytes[80..]),
            PageSizeBytes = 1 << (bytes[88] & 31),
            SizePages = BinaryPrimitives.ReadUInt32LittleEndian(bytes[92..]),
            LeastSizePages = BinaryPrimitives.ReadUInt32LittleEndian(bytes[96..]),
            EntryCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[100..]),
            PageCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[104..]),
            Entries = SegmentPart.Read(bytes[PartsOffset..]),
            Pages = SegmentPart.Read(bytes[(PartsOffset + PartBytes)..]),
            Index = SegmentPart.Read(bytes[(PartsOffset + (2 * PartBytes))..]),
            Epochs = SegmentPart.Read(bytes[(PartsOffset + (3 * PartBytes))..]),
        };
        if (!IsPageSize(found.PageSizeBytes))
        {
            return $"page size {found.PageSizeBytes} was found; a power of two from 512 to 65536 was wanted";
        }

        if (found.ObjectBytes != objectBytes || found.AllParts.Any(part => part.StoredBytes < 0 || part.StoredBytes > objectBytes || part.Bytes < 0))
        {
            return $"it has {objectBytes} bytes; its footer speaks of {found.ObjectBytes}";
        }

        footer = found;
        return null;
    }

    private static bool IsPageSize(int bytes) => bytes is >= EntryLimits.MinPageSizeBytes and <= EntryLimits.MaxPageSizeBytes && BitOperations.IsPow2(bytes);

    private static uint Checksum(ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes) =>
        ~Crc32C.Append(Crc32C.Append(uint.MaxValue, head[..HeadBytes]), bytes[..ChecksumOffset]);
}

/// <summary>One stretch of a segment's bytes.</summary>
internal readonly record struct SegmentPart(long StoredBytes, long Bytes, uint Checksum, uint Encoding)
{
    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteInt64LittleEndian(target, StoredBytes);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], Checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(target[20..], Encoding);
    }

    public static SegmentPart Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt64LittleEndian(source),
        BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[20..]));
}
