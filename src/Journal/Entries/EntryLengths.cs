namespace ReplicatedSqlite.Journal;

/// <summary>The counts and lengths of one entry; they agree with each other and keep the limits.</summary>
internal readonly record struct EntryLengths(int PageCount, int HeaderBytes, int ExtensionBytes, int PagesBytes)
{
    public int TotalBytes => HeaderBytes + ExtensionBytes + PagesBytes + EntryLayout.ChecksumBytes;

    public int PagesOffset => HeaderBytes + ExtensionBytes;

    /// <summary>The most that an entry of so many pages may need: each of them whole.</summary>
    public static EntryLengths AtMost(in EntryHeader header, int pageCount, int extensionBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pageCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(extensionBytes, EntryLimits.MaxExtensionBytes);
        if ((long)pageCount * header.PageSizeBytes > EntryLimits.MaxPageDataBytes)
        {
            throw new ArgumentOutOfRangeException(
                nameof(pageCount),
                $"{pageCount} pages of {header.PageSizeBytes} bytes are more than the {EntryLimits.MaxPageDataBytes} bytes that one entry may hold. Write less in one transaction.");
        }

        return new(pageCount, EntryLayout.HeaderSizeOf(header, pageCount, extensionBytes), extensionBytes, pageCount * (Varint.Max32Bytes + header.PageSizeBytes));
    }

    /// <summary>What is wrong with these values, or <see langword="null"/>. The pages' bytes may be missing.</summary>
    public static string? TryCreate(in EntryHeader header, uint totalBytes, int headerBytes, ulong pageCount, ulong extensionBytes, out EntryLengths lengths)
    {
        lengths = default;
        if (totalBytes > EntryLimits.MaxEntryBytes || extensionBytes > EntryLimits.MaxExtensionBytes)
        {
            return $"an entry of {totalBytes} bytes with {extensionBytes} bytes of extension was found; the limits are {EntryLimits.MaxEntryBytes} and {EntryLimits.MaxExtensionBytes}";
        }

        var pagesBytes = totalBytes - headerBytes - (long)extensionBytes - EntryLayout.ChecksumBytes;
        if (pagesBytes < 0 || pageCount * EntryLayout.MinPageRecordBytes > (ulong)pagesBytes)
        {
            return $"an entry of {totalBytes} bytes with {extensionBytes} bytes of extension was found, which is too short for its {pageCount} pages";
        }

        if (pageCount * (ulong)header.PageSizeBytes > EntryLimits.MaxPageDataBytes)
        {
            return $"{pageCount} pages of {header.PageSizeBytes} bytes were found; one entry may hold {EntryLimits.MaxPageDataBytes} bytes";
        }

        lengths = new((int)pageCount, headerBytes, (int)extensionBytes, (int)pagesBytes);
        return null;
    }
}
