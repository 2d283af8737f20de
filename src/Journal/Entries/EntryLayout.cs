using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The encoded header, field by field, as in docs/formats.md.</summary>
internal static class EntryLayout
{
    public const byte Version = 1;
    public const int ChainHashOffset = 112;
    public const int ChecksumBytes = 4;
    public const int PageRecordHeaderBytes = 8;
    public const int ExtensionItemHeaderBytes = 8;
    public const ushort SkippableTag = 0x8000;

    private const int KnownFlagBits = (int)(EntryFlags.EpochEntry | EntryFlags.Tombstone);

    public static void Write(Span<byte> target, in EntryHeader header, in EntryLengths lengths)
    {
        target[..EntryHeader.SizeBytes].Clear();
        target[0] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], (ushort)header.Flags);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], lengths.TotalBytes);
        header.Database.Write(target[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[24..], header.Epoch);
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], header.Predecessor.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(target[32..], header.FirstSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(target[40..], header.LastSequence);
        BinaryPrimitives.WriteUInt64LittleEndian(target[48..], header.Predecessor.Sequence);
        header.Predecessor.Hash.Write(target[56..]);
        BinaryPrimitives.WriteInt32LittleEndian(target[72..], header.PageSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(target[76..], header.DatabaseSizePages);
        BinaryPrimitives.WriteInt64LittleEndian(target[80..], header.CommitTimeMicroseconds);
        BinaryPrimitives.WriteInt32LittleEndian(target[88..], lengths.PageCount);
        BinaryPrimitives.WriteInt32LittleEndian(target[96..], lengths.ExtensionBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target[100..], lengths.PagesBytes);
    }

    /// <summary>Reads the header's fields and checks them against each other, but neither checksum nor hash.</summary>
    public static string? TryRead(ReadOnlySpan<byte> source, out EntryHeader header, out EntryLengths lengths)
    {
        header = default;
        lengths = default;
        if (source.Length < EntryHeader.SizeBytes)
        {
            return $"{source.Length} bytes were found; an entry's header has {EntryHeader.SizeBytes}";
        }

        if (source[0] != Version)
        {
            return $"entry version {source[0]} was found; this build reads version {Version}";
        }

        var flags = BinaryPrimitives.ReadUInt16LittleEndian(source[2..]);
        if ((flags & ~KnownFlagBits) != 0)
        {
            return $"entry flags 0x{flags:x4} were found; this build knows 0x{KnownFlagBits:x4} (EpochEntry, Tombstone)";
        }

        var part = BinaryPrimitives.ReadUInt32LittleEndian(source[92..]);
        if (source[1] != 0 || part != 0 || BinaryPrimitives.ReadUInt64LittleEndian(source[104..]) != 0)
        {
            return $"part number {part} or reserved bytes that are not zero were found; this build wants zero";
        }

        header = ReadFields(source, flags);
        return header.FindFault() ?? EntryLengths.TryRead(source, out lengths);
    }

    public static ChainHash ReadChainHash(ReadOnlySpan<byte> source) => ChainHash.Read(source[ChainHashOffset..]);

    private static EntryHeader ReadFields(ReadOnlySpan<byte> source, ushort flags) => new()
    {
        Flags = (EntryFlags)flags,
        Database = DatabaseId.Read(source[8..]),
        Epoch = BinaryPrimitives.ReadUInt32LittleEndian(source[24..]),
        FirstSequence = BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
        LastSequence = BinaryPrimitives.ReadUInt64LittleEndian(source[40..]),
        Predecessor = new(
            BinaryPrimitives.ReadUInt32LittleEndian(source[28..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[48..]),
            ChainHash.Read(source[56..])),
        PageSizeBytes = BinaryPrimitives.ReadInt32LittleEndian(source[72..]),
        DatabaseSizePages = BinaryPrimitives.ReadUInt32LittleEndian(source[76..]),
        CommitTimeMicroseconds = BinaryPrimitives.ReadInt64LittleEndian(source[80..]),
    };
}
