using System.Buffers.Binary;

namespace ReplicatedSqlite.Journal;

/// <summary>The pages of one entry in ascending order, read in place: enumerating copies and allocates nothing.</summary>
public readonly struct PageRecords
{
    private readonly ReadOnlyMemory<byte> _records;

    internal PageRecords(ReadOnlyMemory<byte> records, int count)
    {
        _records = records;
        Count = count;
    }

    /// <summary>How many pages there are.</summary>
    public int Count { get; }

    /// <summary>For <c>foreach</c>.</summary>
    public Enumerator GetEnumerator() => new(_records);

    internal static string? FindFault(ReadOnlySpan<byte> records, in EntryHeader header, int count)
    {
        uint previous = 0;
        for (var i = 0; i < count; i++)
        {
            if (records.Length < EntryLayout.PageRecordHeaderBytes)
            {
                return $"page records end after {i} of {count}";
            }

            var (page, kind, length) = ReadHeader(records);
            if (kind != PageKind.Whole)
            {
                return $"page {page} has kind {(int)kind}; this build knows 1 (whole page)";
            }

            if (length != header.PageSizeBytes || records.Length - EntryLayout.PageRecordHeaderBytes < length)
            {
                return $"page {page} has {length} bytes with {records.Length} left in the entry; {header.PageSizeBytes} were wanted";
            }

            if (FindFault(page, previous, header) is { } fault)
            {
                return fault;
            }

            previous = page;
            records = records[(EntryLayout.PageRecordHeaderBytes + length)..];
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

    internal static void WriteHeader(Span<byte> target, uint page, PageKind kind, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, page);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)length | ((uint)kind << 24));
    }

    private static (uint Page, PageKind Kind, int Length) ReadHeader(ReadOnlySpan<byte> source)
    {
        var word = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        return (BinaryPrimitives.ReadUInt32LittleEndian(source), (PageKind)(word >> 24), (int)(word & 0xFFFFFF));
    }

    /// <summary>Walks the records.</summary>
    public struct Enumerator
    {
        private ReadOnlyMemory<byte> _rest;

        internal Enumerator(ReadOnlyMemory<byte> records) => _rest = records;

        /// <summary>The page the walk is at.</summary>
        public PageRecord Current { get; private set; }

        /// <summary>Goes to the next page.</summary>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            var (page, kind, length) = ReadHeader(_rest.Span);
            Current = new(page, kind, _rest.Slice(EntryLayout.PageRecordHeaderBytes, length));
            _rest = _rest[(EntryLayout.PageRecordHeaderBytes + length)..];
            return true;
        }
    }
}
