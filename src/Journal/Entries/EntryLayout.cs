using System.Buffers.Binary;
using System.Numerics;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>The encoded header, field by field, as in docs/formats.md.</summary>
internal static class EntryLayout
{
    public const byte Version = 2;
    public const int MinHeaderBytes = VarintsOffset + 5;
    public const int MaxHeaderBytes = VarintsOffset + (5 * Varint.Max32Bytes) + (2 * Varint.Max64Bytes);
    public const int ChainHashOffset = 39;
    public const int ChecksumBytes = 4;
    public const int MinPageRecordBytes = 2;
    public const int ExtensionItemHeaderBytes = 8;
    public const ushort SkippableTag = 0x8000;

    private const int LengthOffset = 3;
    private const int DatabaseOffset = 7;
    private const int PredecessorHashOffset = 23;
    private const int CommitTimeOffset = 55;
    private const int VarintsOffset = 63;
    private const int ExtensionFlag = 4;
    private const int KnownFlagBits = (int)(EntryFlags.EpochEntry | EntryFlags.Tombstone) | ExtensionFlag;

    /// <summary>Bytes of the header with these values.</summary>
    public static int HeaderSizeOf(in EntryHeader header, int pageCount, int extensionBytes) =>
        VarintsOffset + Varint.SizeOf(header.Epoch) + Varint.SizeOf(header.Predecessor.Sequence) + Varint.SizeOf(header.LastSequence - header.FirstSequence)
        + Varint.SizeOf(header.DatabaseSizePages) + Varint.SizeOf((uint)pageCount)
        + (header.IsEpochEntry ? Varint.SizeOf(header.Predecessor.Epoch) : 0)
        + (extensionBytes > 0 ? Varint.SizeOf((uint)extensionBytes) : 0);

    public static void Write(Span<byte> target, in EntryHeader header, in EntryLengths lengths)
    {
        target[0] = Version;
        target[1] = (byte)((int)header.Flags | (lengths.ExtensionBytes > 0 ? ExtensionFlag : 0));
        target[2] = (byte)BitOperations.Log2((uint)header.PageSizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(target[LengthOffset..], lengths.TotalBytes);
        header.Database.Write(target[DatabaseOffset..]);
        header.Predecessor.Hash.Write(target[PredecessorHashOffset..]);
        BinaryPrimitives.WriteInt64LittleEndian(target[CommitTimeOffset..], header.CommitTimeMicroseconds);
        target = target[VarintsOffset..];
        target = target[Varint.Write(target, header.Epoch)..];
        target = target[Varint.Write(target, header.Predecessor.Sequence)..];
        target = target[Varint.Write(target, header.LastSequence - header.FirstSequence)..];
        target = target[Varint.Write(target, header.DatabaseSizePages)..];
        target = target[Varint.Write(target, (uint)lengths.PageCount)..];
        if (header.IsEpochEntry)
        {
            target = target[Varint.Write(target, header.Predecessor.Epoch)..];
        }

        if (lengths.ExtensionBytes > 0)
        {
            Varint.Write(target, (uint)lengths.ExtensionBytes);
        }
    }

    /// <summary>Reads the header's fields and checks them against each other, but neither checksum nor hash. What follows the header may be missing.</summary>
    public static string? TryRead(ReadOnlySpan<byte> source, out EntryHeader header, out EntryLengths lengths)
    {
        header = default;
        lengths = default;
        if (source.Length < MinHeaderBytes)
        {
            return $"{source.Length} bytes were found; an entry's header has at least {MinHeaderBytes}";
        }

        if (source[0] != Version)
        {
            return $"entry version {source[0]} was found; this build reads version {Version}";
        }

        if ((source[1] & ~KnownFlagBits) != 0)
        {
            return $"entry flags 0x{source[1]:x2} were found; this build knows 0x{KnownFlagBits:x2} (EpochEntry, Tombstone, Extension)";
        }

        if (source[2] is < 9 or > 16)
        {
            return $"page size 2^{source[2]} was found; 2^9 (512) to 2^16 (65536) were wanted";
        }

        return TryReadVarints(source, out header, out var headerBytes, out var pageCount, out var extensionBytes)
            ?? header.FindFault()
            ?? EntryLengths.TryCreate(header, BinaryPrimitives.ReadUInt32LittleEndian(source[LengthOffset..]), headerBytes, pageCount, extensionBytes, out lengths);
    }

    /// <summary>How long the whole entry is.</summary>
    public static int ReadLength(ReadOnlySpan<byte> source) => BinaryPrimitives.ReadInt32LittleEndian(source[LengthOffset..]);

    public static ChainHash ReadChainHash(ReadOnlySpan<byte> source) => ChainHash.Read(source[ChainHashOffset..]);

    private static string? TryReadVarints(ReadOnlySpan<byte> source, out EntryHeader header, out int headerBytes, out ulong pageCount, out ulong extensionBytes)
    {
        header = default;
        headerBytes = 0;
        extensionBytes = 0;
        var flags = (EntryFlags)(source[1] & ~ExtensionFlag);
        var isEpochEntry = (flags & EntryFlags.EpochEntry) != 0;
        var rest = source[VarintsOffset..];
        var whole = Varint.TryRead(ref rest, uint.MaxValue, out var epoch);
        whole &= Varint.TryRead(ref rest, ulong.MaxValue, out var sequence);
        whole &= Varint.TryRead(ref rest, ulong.MaxValue, out var furtherWrites);
        whole &= Varint.TryRead(ref rest, uint.MaxValue, out var sizePages);
        whole &= Varint.TryRead(ref rest, uint.MaxValue, out pageCount);
        var before = epoch;
        whole &= !isEpochEntry || Varint.TryRead(ref rest, uint.MaxValue, out before);
        if ((source[1] & ExtensionFlag) != 0)
        {
            whole &= Varint.TryRead(ref rest, uint.MaxValue, out extensionBytes) && extensionBytes > 0;
        }

        if (!whole)
        {
            return "a number in the header was found that is cut short, longer than it must be, or out of its range";
        }

        headerBytes = source.Length - rest.Length;
        header = new()
        {
            Flags = flags,
            Database = DatabaseId.Read(source[DatabaseOffset..]),
            Epoch = (uint)epoch,
            FirstSequence = sequence + 1,
            LastSequence = sequence + 1 + furtherWrites,
            Predecessor = new((uint)before, sequence, ChainHash.Read(source[PredecessorHashOffset..])),
            PageSizeBytes = 1 << source[2],
            DatabaseSizePages = (uint)sizePages,
            CommitTimeMicroseconds = BinaryPrimitives.ReadInt64LittleEndian(source[CommitTimeOffset..]),
        };
        return null;
    }
}
