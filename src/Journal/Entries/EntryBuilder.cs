using System.Buffers;
using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>Encodes one entry; pages are written straight to where they stay, or to where they are copied from once.</summary>
/// <remarks>
/// Say how many pages there will be, add that many in ascending order, then <see cref="Build()"/>. Each page goes whole, without its zeros, or as a patch.
/// A small entry is put together in a rented buffer and copied to one of its exact size. A large one stays in the memory that it was put together in, which holds room
/// for all pages whole, of which the rest is never touched; so a transaction of 1 GiB needs its size once beside its pages. One thread, one entry.
/// </remarks>
public sealed class EntryBuilder
{
    private const int MaxRentedBytes = 1 << 20;
    private const int LengthBytes = 3; // that a record with ranges may need beyond one with a whole page
    private const int WorthComparing = 8; // a patch of more than this part of a page may be larger than the page without its zeros
    private static readonly byte[] _zeros = new byte[EntryLimits.MaxPageSizeBytes];

    private readonly EntryHeader _header;
    private readonly EntryLengths _most;
    private readonly byte[] _buffer; // with room for one page more, to try what is shorter
    private readonly bool _rented;
    private uint _lastPage;
    private int _added;
    private int _offset;
    private bool _built;

    /// <summary>Starts an entry.</summary>
    /// <exception cref="ArgumentException">The header's values contradict each other, or the pages are more than an entry holds.</exception>
    public EntryBuilder(in EntryHeader header, int pageCount)
        : this(header, pageCount, extensionBytes: 0)
    {
        if (header.IsEpochEntry)
        {
            throw new ArgumentException("An epoch entry is built by EpochEntry.Create.", nameof(header));
        }
    }

    internal EntryBuilder(in EntryHeader header, int pageCount, int extensionBytes)
    {
        if (header.FindFault() is { } fault)
        {
            throw new ArgumentException($"This header cannot be encoded: {fault}.", nameof(header));
        }

        _header = header;
        _most = EntryLengths.AtMost(header, pageCount, extensionBytes);
        var bytes = _most.TotalBytes + header.PageSizeBytes;
        _rented = bytes <= MaxRentedBytes;
        _buffer = _rented ? ArrayPool<byte>.Shared.Rent(bytes) : GC.AllocateUninitializedArray<byte>(bytes);
        _offset = _most.PagesOffset;
    }

    internal Span<byte> ExtensionBytes => _buffer.AsSpan(_most.HeaderBytes, _most.ExtensionBytes);

    /// <summary>Adds the next page whole; the caller fills the span (a page's size) before anything else.</summary>
    /// <param name="pageNumber">Above the one before, at most the database's size, not the lock page.</param>
    public Span<byte> AddPage(uint pageNumber)
    {
        Check(pageNumber);
        var size = WriteHeader(pageNumber, PageKind.Whole, 0, 0, _header.PageSizeBytes);
        return Take(pageNumber, size, _header.PageSizeBytes);
    }

    /// <summary>Adds the next page whole, without its zeros where that is shorter.</summary>
    /// <param name="pageNumber">Like that of <see cref="AddPage(uint)"/>.</param>
    /// <param name="image">The page.</param>
    public void AddPage(uint pageNumber, ReadOnlySpan<byte> image)
    {
        Check(pageNumber);
        CheckSize(image);
        var ranges = PageRanges.Encode(_zeros, image, Trial(image.Length - LengthBytes));
        if (ranges < 0)
        {
            image.CopyTo(Take(pageNumber, WriteHeader(pageNumber, PageKind.Whole, 0, 0, image.Length), image.Length));
            return;
        }

        Add(pageNumber, PageKind.Sparse, 0, 0, ranges);
    }

    /// <summary>Adds what changed in the next page since its previous version; or the page as <see cref="AddPage(uint, ReadOnlySpan{byte})"/> does, where that is shorter.</summary>
    /// <param name="pageNumber">Like that of <see cref="AddPage(uint)"/>; the database had this page at the predecessor's position.</param>
    /// <param name="before">The page there.</param>
    /// <param name="checksumBefore">Its CRC-32C.</param>
    /// <param name="after">The page now.</param>
    /// <param name="checksumAfter">Its CRC-32C.</param>
    public void AddPatch(uint pageNumber, ReadOnlySpan<byte> before, uint checksumBefore, ReadOnlySpan<byte> after, uint checksumAfter)
    {
        Check(pageNumber);
        CheckSize(before);
        CheckSize(after);
        var ranges = PageRanges.Encode(before, after, Trial(after.Length - PageRecordHeader.MaxBytes));
        if (ranges < 0 || (ranges > after.Length / WorthComparing && PageRanges.Encode(_zeros, after, Trial(ranges - 1, behind: ranges)) >= 0))
        {
            AddPage(pageNumber, after);
            return;
        }

        Add(pageNumber, PageKind.Patch, checksumBefore, checksumAfter, ranges);
    }

    /// <summary>Hashes and closes the entry. The builder is used up.</summary>
    /// <exception cref="InvalidOperationException">Pages are missing, or the entry was built before.</exception>
    public Entry Build() => Build(epochTable: null);

    internal Entry Build(EpochTable? epochTable)
    {
        if (_built || _added != _most.PageCount)
        {
            throw new InvalidOperationException(_built ? "This entry was built already." : $"{_added} of {_most.PageCount} announced pages were added.");
        }

        _built = true;
        var lengths = _most with { PagesBytes = _offset - _most.PagesOffset };
        var encoded = Close(lengths.TotalBytes);
        EntryLayout.Write(encoded.Span, _header, lengths);
        var hash = ChainHasher.Compute(_header.Predecessor.Hash, encoded.Span);
        hash.Write(encoded.Span[EntryLayout.ChainHashOffset..]);
        BinaryPrimitives.WriteUInt32LittleEndian(encoded.Span[^EntryLayout.ChecksumBytes..], Crc32C.Of(encoded.Span[..^EntryLayout.ChecksumBytes]));
        return new(encoded, _header, lengths, hash, epochTable);
    }

    private Memory<byte> Close(int bytes)
    {
        // What would waste more than half of its memory is worth the copy.
        if (!_rented && bytes > _buffer.Length / 2)
        {
            return _buffer.AsMemory(0, bytes);
        }

        var exact = GC.AllocateUninitializedArray<byte>(bytes);
        _buffer.AsSpan(0, _offset).CopyTo(exact);
        if (_rented)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        return exact;
    }

    private void Check(uint pageNumber)
    {
        if (_added == _most.PageCount)
        {
            throw new InvalidOperationException($"Page {pageNumber} is one more than the {_most.PageCount} that were announced.");
        }

        if (PageRecords.FindFault(pageNumber, _lastPage, _header) is { } fault)
        {
            throw new ArgumentException($"Not a page for this entry: {fault}.", nameof(pageNumber));
        }
    }

    private void CheckSize(ReadOnlySpan<byte> image)
    {
        if (image.Length != _header.PageSizeBytes)
        {
            throw new ArgumentException($"An image of {image.Length} bytes was given; the pages of this entry have {_header.PageSizeBytes}.", nameof(image));
        }
    }

    // Ranges are tried behind where the longest header would end, and moved to their place once their length is known.
    private Span<byte> Trial(int maxBytes, int behind = 0) =>
        maxBytes <= 0 ? [] : _buffer.AsSpan(_offset + PageRecordHeader.MaxBytes + behind, maxBytes);

    private void Add(uint pageNumber, PageKind kind, uint before, uint after, int ranges)
    {
        var tried = _buffer.AsSpan(_offset + PageRecordHeader.MaxBytes, ranges);
        var size = WriteHeader(pageNumber, kind, before, after, ranges);
        tried.CopyTo(Take(pageNumber, size, ranges));
    }

    private int WriteHeader(uint pageNumber, PageKind kind, uint before, uint after, int dataBytes) =>
        PageRecordHeader.Write(_buffer.AsSpan(_offset), pageNumber, _lastPage, kind, before, after, dataBytes);

    private Span<byte> Take(uint pageNumber, int headerBytes, int dataBytes)
    {
        var data = _buffer.AsSpan(_offset + headerBytes, dataBytes);
        _offset += headerBytes + dataBytes;
        _lastPage = pageNumber;
        _added++;
        return data;
    }
}
