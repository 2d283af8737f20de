using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Encodes one entry into one buffer of its exact size; the caller copies each page straight into it.</summary>
/// <remarks>
/// Say how many pages there will be, call <see cref="AddPage"/> that often in ascending order, fill each span, then <see cref="Build()"/>.
/// One thread, one entry.
/// </remarks>
public sealed class EntryBuilder
{
    private readonly EntryHeader _header;
    private readonly EntryLengths _lengths;
    private readonly byte[] _buffer;
    private uint _lastPage;
    private int _added;
    private int _offset;
    private bool _built;

    /// <summary>Starts an entry of whole pages.</summary>
    /// <exception cref="ArgumentException">The header's values contradict each other, or the pages are more than an entry holds.</exception>
    public EntryBuilder(in EntryHeader header, int wholePageCount)
        : this(header, wholePageCount, extensionBytes: 0)
    {
        if (header.IsEpochEntry)
        {
            throw new ArgumentException("An epoch entry is built by EpochEntry.Create.", nameof(header));
        }
    }

    internal EntryBuilder(in EntryHeader header, int wholePageCount, int extensionBytes)
    {
        if (header.FindFault() is { } fault)
        {
            throw new ArgumentException($"This header cannot be encoded: {fault}.", nameof(header));
        }

        _header = header;
        _lengths = EntryLengths.ForWholePages(wholePageCount, header.PageSizeBytes, extensionBytes);
        _buffer = GC.AllocateUninitializedArray<byte>(_lengths.TotalBytes);
        _offset = _lengths.PagesOffset;
    }

    internal Span<byte> ExtensionBytes => _buffer.AsSpan(EntryHeader.SizeBytes, _lengths.ExtensionBytes);

    /// <summary>Adds the next page; the caller fills the whole span (a page's size) before anything else.</summary>
    /// <param name="pageNumber">Above the one before, at most the database's size, not the lock page.</param>
    public Span<byte> AddPage(uint pageNumber)
    {
        if (_added == _lengths.PageCount)
        {
            throw new InvalidOperationException($"Page {pageNumber} is one more than the {_lengths.PageCount} that were announced.");
        }

        if (PageRecords.FindFault(pageNumber, _lastPage, _header) is { } fault)
        {
            throw new ArgumentException($"Not a page for this entry: {fault}.", nameof(pageNumber));
        }

        PageRecords.WriteHeader(_buffer.AsSpan(_offset), pageNumber, PageKind.Whole, _header.PageSizeBytes);
        var data = _buffer.AsSpan(_offset + EntryLayout.PageRecordHeaderBytes, _header.PageSizeBytes);
        _offset += EntryLayout.PageRecordHeaderBytes + _header.PageSizeBytes;
        _lastPage = pageNumber;
        _added++;
        return data;
    }

    /// <summary>Hashes and closes the entry. The builder is used up.</summary>
    /// <exception cref="InvalidOperationException">Pages are missing, or the entry was built before.</exception>
    public Entry Build() => Build(epochTable: null);

    internal Entry Build(EpochTable? epochTable)
    {
        if (_built || _added != _lengths.PageCount)
        {
            throw new InvalidOperationException(_built ? "This entry was built already." : $"{_added} of {_lengths.PageCount} announced pages were added.");
        }

        _built = true;
        EntryLayout.Write(_buffer, _header, _lengths);
        var hash = ChainHasher.Compute(_header.Predecessor.Hash, _buffer);
        hash.Write(_buffer.AsSpan(EntryLayout.ChainHashOffset));
        BinaryPrimitives.WriteUInt32LittleEndian(
            _buffer.AsSpan(_buffer.Length - EntryLayout.ChecksumBytes),
            Crc32C.Of(_buffer.AsSpan(0, _buffer.Length - EntryLayout.ChecksumBytes)));
        return new(_buffer, _header, _lengths, hash, epochTable);
    }
}
