namespace ReplicatedSqlite.Journal;

/// <summary>How large an entry may be; the same numbers stand in docs/formats.md.</summary>
public static class EntryLimits
{
    /// <summary>Page data in one entry.</summary>
    public const int MaxPageDataBytes = 1 << 30;

    /// <summary>The extension of one entry.</summary>
    public const int MaxExtensionBytes = 16 << 20;

    /// <summary>One encoded entry.</summary>
    public const int MaxEntryBytes = MaxPageDataBytes + (64 << 20);

    /// <summary>SQLite's smallest page.</summary>
    public const int MinPageSizeBytes = 512;

    /// <summary>SQLite's largest page.</summary>
    public const int MaxPageSizeBytes = 65536;

    /// <summary>The page at 1 GiB that SQLite keeps for its locks; it has no content and is never shipped.</summary>
    public static uint LockPage(int pageSizeBytes) => (uint)((1 << 30) / pageSizeBytes) + 1;

    internal static bool IsPageSize(long value) =>
        value is >= MinPageSizeBytes and <= MaxPageSizeBytes && (value & (value - 1)) == 0;
}
