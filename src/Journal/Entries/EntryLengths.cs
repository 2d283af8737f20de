using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>The counts and lengths of one entry; they agree with each other and keep the limits.</summary>
internal readonly record struct EntryLengths(int PageCount, int ExtensionBytes, int PagesBytes)
{
    public int TotalBytes => EntryHeader.SizeBytes + ExtensionBytes + PagesBytes + EntryLayout.ChecksumBytes;

    public int PagesOffset => EntryHeader.SizeBytes + ExtensionBytes;

    public static EntryLengths ForWholePages(int pageCount, int pageSizeBytes, int extensionBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pageCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(extensionBytes, EntryLimits.MaxExtensionBytes);
        if ((long)pageCount * pageSizeBytes > EntryLimits.MaxPageDataBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(pageCount),
                $"{pageCount} pages of {pageSizeBytes} bytes are more than the {EntryLimits.MaxPageDataBytes} bytes that one entry may hold. Write less in one transaction.");
        }

        return new(pageCount, extensionBytes, pageCount * (EntryLayout.PageRecordHeaderBytes + pageSizeBytes));
    }

    public static string? TryRead(ReadOnlySpan<byte> source, out EntryLengths lengths)
    {
        var total = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        var pageCount = BinaryPrimitives.ReadUInt32LittleEndian(source[88..]);
        var extension = BinaryPrimitives.ReadUInt32LittleEndian(source[96..]);
        var pages = BinaryPrimitives.ReadUInt32LittleEndian(source[100..]);
        lengths = default;
        if (total > EntryLimits.MaxEntryBytes || extension > EntryLimits.MaxExtensionBytes)
        {
            return $"an entry of {total} bytes with {extension} bytes of extension was found; the limits are {EntryLimits.MaxEntryBytes} and {EntryLimits.MaxExtensionBytes}";
        }

        if (total != (long)EntryHeader.SizeBytes + extension + pages + EntryLayout.ChecksumBytes)
        {
            return $"an entry of {total} bytes was found whose extension ({extension}) and pages ({pages}) do not add up to it";
        }

        if ((ulong)pageCount * EntryLayout.PageRecordHeaderBytes > pages)
        {
            return $"{pageCount} pages were found in {pages} bytes; each takes more than {EntryLayout.PageRecordHeaderBytes}";
        }

        lengths = new((int)pageCount, (int)extension, (int)pages);
        return null;
    }
}
