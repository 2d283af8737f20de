using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>The pages of one entry in ascending order, read in place: enumerating copies and allocates nothing.</summary>
public readonly struct PageRecords
{
    private readonly ReadOnlyMemory<byte> _records;
    private readonly int _pageSizeBytes;

    internal PageRecords(ReadOnlyMemory<byte> records, int count, int pageSizeBytes)
    {
        _records = records;
        _pageSizeBytes = pageSizeBytes;
        Count = count;
    }

    /// <summary>How many pages there are.</summary>
    public int Count { get; }

    /// <summary>Bytes that the records take in the entry.</summary>
    public int SizeBytes => _records.Length;

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(_records, _pageSizeBytes);

    internal static string? FindFault(ReadOnlySpan<byte> records, in EntryHeader header, int count)
    {
        uint previous = 0;
        for (var i = 0; i < count; i++)
        {
            if (PageRecordHeader.TryRead(records, previous, header.PageSizeBytes, out var record) is { } fault)
            {
                return $"page record {i} of {count}: {fault}";
            }

            if (FindFault(record.PageNumber, previous, header) is { } misplaced)
            {
                return misplaced;
            }

            if (record.Kind != PageKind.Whole && PageRanges.FindFault(records.Slice(record.SizeBytes, record.DataBytes), header.PageSizeBytes) is { } range)
            {
                return $"page {record.PageNumber}: {range}";
            }

            previous = record.PageNumber;
            records = records[(record.SizeBytes + record.DataBytes)..];
        }

        return records.IsEmpty ? null : $"{records.Length} bytes were found behind the last of {count} pages";
    }

    internal static string? FindFault(uint page, uint previous, in EntryHeader header)
    {
        if (page <= previous || page > header.DatabaseSizePages)
        {
            return $"page {page} was found after page {previous}; ascending numbers from 1 to the database's size, {header.DatabaseSizePages}, were wanted";
        }

        return page == EntryLimits.LockPage(header.PageSizeBytes) ? $"page {page} is SQLite's lock page, which has no content; it must not be shipped" : null;
    }

    /// <summary>Walks the records.</summary>
    public struct Enumerator
    {
        private readonly int _pageSizeBytes;
        private ReadOnlyMemory<byte> _rest;

        internal Enumerator(ReadOnlyMemory<byte> records, int pageSizeBytes)
        {
            _rest = records;
            _pageSizeBytes = pageSizeBytes;
        }

        /// <summary>The page the walk is at.</summary>
        public PageRecord Current { get; private set; }

        /// <summary>Goes to the next page.</summary>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            _ = PageRecordHeader.TryRead(_rest.Span, Current.PageNumber, _pageSizeBytes, out var record); // the entry was checked as a whole
            Current = new(record.PageNumber, record.Kind, _rest.Slice(record.SizeBytes, record.DataBytes), record.Before, record.After);
            _rest = _rest[(record.SizeBytes + record.DataBytes)..];
            return true;
        }
    }
}
