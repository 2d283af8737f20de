using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>Reads a segment from a store, only the parts that are asked for, and checks all that it reads.</summary>
internal sealed class SegmentReader
{
    private const int SmallBytes = 256 * 1024; // read in one go

    private readonly IObjectStore _store;
    private readonly string _name;
    private readonly byte[]? _whole;

    private SegmentReader(IObjectStore store, string name, SegmentFooter footer, byte[]? whole)
    {
        _store = store;
        _name = name;
        _whole = whole;
        Footer = footer;
    }

    public SegmentFooter Footer { get; }

    /// <summary>Reads the footer.</summary>
    /// <exception cref="ObjectStoreException">The object is missing, damaged, or cannot be read.</exception>
    public static async Task<SegmentReader> OpenAsync(IObjectStore store, DatabaseId database, StoredObject item, CancellationToken cancellationToken)
    {
        var (name, size, _) = item;
        if (size < SegmentFooter.HeadBytes + SegmentFooter.SizeBytes)
        {
            throw new ObjectDamagedException(name, $"it has {size} bytes; a segment has at least {SegmentFooter.HeadBytes + SegmentFooter.SizeBytes}");
        }

        byte[]? whole = null;
        var head = new byte[SegmentFooter.HeadBytes];
        var end = new byte[SegmentFooter.SizeBytes];
        if (size <= SmallBytes)
        {
            whole = new byte[size];
            await store.ReadAsync(name, 0, whole, cancellationToken);
            whole.AsSpan(0, head.Length).CopyTo(head);
            whole.AsSpan(whole.Length - end.Length).CopyTo(end);
        }
        else
        {
            await store.ReadAsync(name, 0, head, cancellationToken);
            await store.ReadAsync(name, size - end.Length, end, cancellationToken);
        }

        if (SegmentFooter.TryRead(head, end, size, out var footer) is { } fault)
        {
            throw new ObjectDamagedException(name, fault);
        }

        return footer!.Database == database && ColdNames.TryParseSegment(name, out var first, out var last) && (first, last) == (footer.First, footer.Last)
            ? new SegmentReader(store, name, footer, whole)
            : throw new ObjectDamagedException(name, $"it holds {footer.First} to {footer.Last} of {footer.Database}, which is not what its name says");
    }

    /// <summary>Its entries in order, each checked by itself and against the one before.</summary>
    public async Task<List<Entry>> ReadEntriesAsync(CancellationToken cancellationToken)
    {
        var bytes = await ReadPartAsync(Footer.Entries, SegmentFooter.HeadBytes, cancellationToken);
        var entries = new List<Entry>(Math.Min(Footer.EntryCount, 1 << 20));
        var end = Footer.First;
        while (!bytes.IsEmpty)
        {
            var length = bytes.Length < 8 ? 0 : Entry.ReadLength(bytes.Span);
            string? fault = null;
            Entry? entry = null;
            if (length <= 0 || length > bytes.Length || !Entry.TryDecode(bytes[..length], out entry, out fault))
            {
                throw new ObjectDamagedException(_name, $"entry {entries.Count} behind {end} cannot be read: {fault ?? $"{length} bytes were announced, {bytes.Length} are left"}");
            }

            if (entry.Predecessor != end || entry.Database != Footer.Database)
            {
                throw new ObjectDamagedException(_name, $"{entry} was found behind {end}: the chain is broken inside it");
            }

            end = entry.End;
            entries.Add(entry);
            bytes = bytes[length..];
        }

        return end == Footer.Last && entries.Count == Footer.EntryCount
            ? entries
            : throw new ObjectDamagedException(_name, $"its {entries.Count} entries end at {end}; {Footer.EntryCount} up to {Footer.Last} were wanted");
    }

    /// <summary>Its merged pages; <see langword="null"/> if it has none, and the entries are to be used.</summary>
    public async Task<IEnumerable<PageRecord>?> ReadPagesAsync(CancellationToken cancellationToken)
    {
        if (Footer.Pages.Bytes == 0)
        {
            return null;
        }

        var bytes = await ReadPartAsync(Footer.Pages, SegmentFooter.HeadBytes + Footer.Entries.StoredBytes, cancellationToken);
        return MergedPages.FindFault(bytes.Span, Footer.PageCount, Footer.SizePages, Footer.PageSizeBytes) is { } fault
            ? throw new ObjectDamagedException(_name, fault)
            : MergedPages.Read(bytes, Footer.PageSizeBytes);
    }

    /// <summary>The epoch table at its end.</summary>
    public async Task<EpochTable> ReadEpochsAsync(CancellationToken cancellationToken)
    {
        var offset = SegmentFooter.HeadBytes + Footer.Entries.StoredBytes + Footer.Pages.StoredBytes + Footer.Index.StoredBytes;
        var bytes = await ReadPartAsync(Footer.Epochs, offset, cancellationToken);
        try
        {
            return EpochTableFormat.Read(bytes.Span);
        }
        catch (EntryFormatException e)
        {
            throw new ObjectDamagedException(_name, e.Message);
        }
    }

    private async Task<ReadOnlyMemory<byte>> ReadPartAsync(SegmentPart part, long offset, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> stored;
        if (_whole is not null)
        {
            stored = _whole.AsMemory((int)offset, (int)part.StoredBytes);
        }
        else
        {
            var bytes = GC.AllocateUninitializedArray<byte>(checked((int)part.StoredBytes));
            await _store.ReadAsync(_name, offset, bytes, cancellationToken);
            stored = bytes;
        }

        if (Crc32C.Of(stored.Span) is var computed && computed != part.Checksum)
        {
            throw new ObjectDamagedException(_name, $"its bytes {offset} to {offset + part.StoredBytes} have checksum {computed:x8}; {part.Checksum:x8} was wanted");
        }

        return PartEncoding.TryDecode(stored, part.Encoding, part.Bytes, out var content) is { } fault
            ? throw new ObjectDamagedException(_name, fault)
            : content;
    }
}
