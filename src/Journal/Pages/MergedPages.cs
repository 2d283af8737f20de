namespace ReplicatedSqlite.Journal;

/// <summary>Reads what <see cref="PageMerger"/> wrote: records like an entry's, but the ranges of one may be longer than its page.</summary>
public static class MergedPages
{
    // One byte in two was set, at three bytes each.
    private const int MostRangesPerPage = 2;

    /// <summary>What is wrong with the records, or <see langword="null"/>.</summary>
    /// <param name="records">The bytes.</param>
    /// <param name="count">How many records they are.</param>
    /// <param name="sizePages">The database's size.</param>
    /// <param name="pageSizeBytes">Of its pages.</param>
    public static string? FindFault(ReadOnlySpan<byte> records, int count, uint sizePages, int pageSizeBytes)
    {
        uint previous = 0;
        for (var i = 0; i < count; i++)
        {
            if (PageRecordHeader.TryRead(records, previous, pageSizeBytes, out var record, MostRangesPerPage * pageSizeBytes) is { } fault)
            {
                return $"page record {i} of {count}: {fault}";
            }

            if (record.PageNumber > sizePages || record.PageNumber == EntryLimits.LockPage(pageSizeBytes))
            {
                return $"page record {i} of {count} is of page {record.PageNumber}; 1 to {sizePages}, without the lock page, were wanted";
            }

            if (record.Kind != PageKind.Whole && PageRanges.FindFault(records.Slice(record.SizeBytes, record.DataBytes), pageSizeBytes) is { } range)
            {
                return $"page {record.PageNumber}: {range}";
            }

            previous = record.PageNumber;
            records = records[(record.SizeBytes + record.DataBytes)..];
        }

        return records.IsEmpty ? null : $"{records.Length} bytes were found behind the last of {count} page records";
    }

    /// <summary>Walks records that have no fault, in place.</summary>
    public static IEnumerable<PageRecord> Read(ReadOnlyMemory<byte> records, int pageSizeBytes)
    {
        for (var previous = 0u; !records.IsEmpty;)
        {
            _ = PageRecordHeader.TryRead(records.Span, previous, pageSizeBytes, out var record, MostRangesPerPage * pageSizeBytes);
            yield return new PageRecord(record.PageNumber, record.Kind, records.Slice(record.SizeBytes, record.DataBytes), record.Before, record.After);
            previous = record.PageNumber;
            records = records[(record.SizeBytes + record.DataBytes)..];
        }
    }

    internal static int MostBytesOfRecord(int pageSizeBytes) => (2 * PageRecordHeader.MaxBytes) + (MostRangesPerPage * pageSizeBytes);
}
