using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>What stands before the data of a page record (docs/formats.md, "Page records").</summary>
/// <param name="PageNumber">The page.</param>
/// <param name="Kind">How it is held.</param>
/// <param name="Before">Of a patch: CRC-32C of the page's previous version.</param>
/// <param name="After">Of a patch: CRC-32C of the page that it makes.</param>
/// <param name="SizeBytes">Of the header itself.</param>
/// <param name="DataBytes">Of the data behind it.</param>
internal readonly record struct PageRecordHeader(uint PageNumber, PageKind Kind, uint Before, uint After, int SizeBytes, int DataBytes)
{
    /// <summary>Bytes that a header may have: number and kind, two checksums, length.</summary>
    public const int MaxBytes = Varint.Max32Bytes + ChecksumsBytes + 3;

    private const int KindBits = 2;
    private const int KindMask = (1 << KindBits) - 1;
    private const int ChecksumsBytes = 8;

    public static int Write(Span<byte> target, uint page, uint previous, PageKind kind, uint before, uint after, int dataBytes)
    {
        var size = Varint.Write(target, ((ulong)(page - previous - 1) << KindBits) | (uint)kind);
        if (kind == PageKind.Patch)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target[size..], before);
            BinaryPrimitives.WriteUInt32LittleEndian(target[(size + 4)..], after);
            size += ChecksumsBytes;
        }

        return kind == PageKind.Whole ? size : size + Varint.Write(target[size..], (uint)dataBytes);
    }

    public static string? TryRead(ReadOnlySpan<byte> source, uint previous, int pageSizeBytes, out PageRecordHeader header, int mostRangesBytes = 0)
    {
        header = default;
        var rest = source;
        if (!Varint.TryRead(ref rest, ((ulong)uint.MaxValue << KindBits) | KindMask, out var head))
        {
            return "its number was found cut short, longer than it must be, or out of range";
        }

        var kind = (PageKind)(head & KindMask);
        var page = previous + 1 + (head >> KindBits);
        if (kind == 0 || page > uint.MaxValue)
        {
            return $"page {page} of kind {(int)kind} was found; this build knows 1 (whole), 2 (patch) and 3 (sparse)";
        }

        var (before, after) = (0u, 0u);
        if (kind == PageKind.Patch)
        {
            if (rest.Length < ChecksumsBytes)
            {
                return $"page {page} ends in its checksums";
            }

            (before, after) = (BinaryPrimitives.ReadUInt32LittleEndian(rest), BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]));
            rest = rest[ChecksumsBytes..];
        }

        var dataBytes = (ulong)pageSizeBytes;
        var most = Math.Max(pageSizeBytes, mostRangesBytes);
        if (kind != PageKind.Whole && !Varint.TryRead(ref rest, (ulong)most, out dataBytes))
        {
            return $"page {page} has a length that is cut short, longer than it must be, or above {most}";
        }

        header = new((uint)page, kind, before, after, source.Length - rest.Length, (int)dataBytes);
        return dataBytes <= (ulong)rest.Length ? null : $"page {page} has {dataBytes} bytes with {rest.Length} left in the entry";
    }
}
