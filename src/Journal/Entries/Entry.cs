using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Journal;

/// <summary>One transaction, or a group committed together, in a database's log. Immutable; keeps the bytes it was encoded in.</summary>
public sealed class Entry
{
    private readonly EntryLengths _lengths;

    internal Entry(ReadOnlyMemory<byte> encoded, in EntryHeader header, EntryLengths lengths, ChainHash hash, EpochTable? epochTable)
    {
        Encoded = encoded;
        Header = header;
        _lengths = lengths;
        End = new(header.Epoch, header.LastSequence, hash);
        EpochTable = epochTable;
    }

    /// <summary>The entry's bytes: the same for every receiver and for ever.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>What the entry says about itself.</summary>
    public EntryHeader Header { get; }

    /// <summary>Whose log it belongs to.</summary>
    public DatabaseId Database => Header.Database;

    /// <summary>The end of the entry before.</summary>
    public Position Predecessor => Header.Predecessor;

    /// <summary>The end of this entry.</summary>
    public Position End { get; }

    /// <summary>The pages, in place.</summary>
    public PageRecords Pages => new(Encoded.Slice(_lengths.PagesOffset, _lengths.PagesBytes), _lengths.PageCount, Header.PageSizeBytes);

    /// <summary>In an epoch entry: the epochs up to and including its own, which is open. Else <see langword="null"/>.</summary>
    public EpochTable? EpochTable { get; }

    /// <summary>Finds an extension item, in place.</summary>
    public bool TryGetExtension(ExtensionTag tag, out ReadOnlyMemory<byte> payload) =>
        Extension.TryFind(Encoded.Slice(_lengths.HeaderBytes, _lengths.ExtensionBytes), tag, out payload);

    /// <summary>Reads an entry and checks everything in it: fields, lengths, checksum, chain hash. Keeps <paramref name="encoded"/>, which must not change any more.</summary>
    /// <exception cref="EntryFormatException">The bytes are not one entry.</exception>
    public static Entry Decode(ReadOnlyMemory<byte> encoded) =>
        TryDecode(encoded, out var entry, out var fault) ? entry : throw new EntryFormatException($"Not an entry: {fault}.");

    /// <summary>Like <see cref="Decode"/>, for bytes that may well be wrong.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, [NotNullWhen(true)] out Entry? entry, [NotNullWhen(false)] out string? fault)
    {
        entry = null;
        var bytes = encoded.Span;
        fault = EntryLayout.TryRead(bytes, out var header, out var lengths) ?? FindFault(bytes, header, lengths);
        EpochTable? table = null;
        fault ??= header.IsEpochEntry ? ReadEpochTable(encoded, header, lengths, out table) : null;
        if (fault is null)
        {
            entry = new(encoded, header, lengths, EntryLayout.ReadChainHash(bytes), table);
        }

        return fault is null;
    }

    /// <summary>Reads how long the entry at the start of <paramref name="source"/> is, from its first 8 bytes; nothing else is checked.</summary>
    public static int ReadLength(ReadOnlySpan<byte> source) => EntryLayout.ReadLength(source);

    /// <summary>For logs and errors.</summary>
    public override string ToString() => $"entry {End} of {Database} ({Encoded.Length} bytes)";

    private static string? FindFault(ReadOnlySpan<byte> bytes, in EntryHeader header, EntryLengths lengths)
    {
        if (bytes.Length != lengths.TotalBytes)
        {
            return $"{bytes.Length} bytes were found; the header says {lengths.TotalBytes}";
        }

        var stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^EntryLayout.ChecksumBytes..]);
        var computed = Crc32C.Of(bytes[..^EntryLayout.ChecksumBytes]);
        if (stored != computed)
        {
            return $"checksum {stored:x8} was found; {computed:x8} was wanted";
        }

        var hash = ChainHasher.Compute(header.Predecessor.Hash, bytes);
        if (EntryLayout.ReadChainHash(bytes) is var found && found != hash)
        {
            return $"chain hash {found} was found; {hash} was wanted behind {header.Predecessor.Hash}";
        }

        if (header.IsEpochEntry && lengths.PageCount != 0)
        {
            return $"an epoch entry with {lengths.PageCount} pages was found; it must have none";
        }

        return Extension.FindFault(bytes.Slice(lengths.HeaderBytes, lengths.ExtensionBytes), header.IsEpochEntry)
            ?? PageRecords.FindFault(bytes.Slice(lengths.PagesOffset, lengths.PagesBytes), header, lengths.PageCount);
    }

    private static string? ReadEpochTable(ReadOnlyMemory<byte> encoded, in EntryHeader header, EntryLengths lengths, out EpochTable? table)
    {
        Extension.TryFind(encoded.Slice(lengths.HeaderBytes, lengths.ExtensionBytes), ExtensionTag.EpochTable, out var payload);
        if (EpochTableFormat.TryRead(payload.Span, out table) is { } fault)
        {
            return $"epoch table: {fault}";
        }

        return EpochEntry.FindFault(header, table);
    }
}
