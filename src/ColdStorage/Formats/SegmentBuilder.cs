using System.Buffers.Binary;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.ColdStorage;

/// <summary>A segment, ready to be stored.</summary>
/// <param name="Name">Its object's name.</param>
/// <param name="Parts">Its bytes.</param>
/// <param name="Footer">What it says.</param>
internal sealed record Segment(string Name, IReadOnlyList<ReadOnlyMemory<byte>> Parts, SegmentFooter Footer);

/// <summary>Makes a segment of entries that follow each other. The same entries always make the same segment, if compressed alike.</summary>
internal static class SegmentBuilder
{
    private const int IndexRowBytes = 32;
    private const int IndexEveryBytes = 64 * 1024;

    /// <param name="entries">At least one.</param>
    /// <param name="epochs">The epoch table at the last one's end.</param>
    /// <param name="compress">Parts that get shorter are compressed.</param>
    public static Segment Build(IReadOnlyList<Entry> entries, EpochTable epochs, bool compress)
    {
        var (first, last) = (entries[0], entries[^1]);
        var merger = new PageMerger(first.Header.PageSizeBytes);
        var index = new List<byte[]>();
        long bytes = 0, indexedAt = -IndexEveryBytes;
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (i > 0 && entry.Predecessor != entries[i - 1].End)
            {
                throw new ArgumentException($"A segment needs entries that follow each other: {entry} came behind {entries[i - 1].End}.", nameof(entries));
            }

            if (bytes - indexedAt >= IndexEveryBytes)
            {
                index.Add(IndexRow(entry, bytes));
                indexedAt = bytes;
            }

            merger.Add(entry);
            bytes += entry.Encoded.Length;
        }

        // A single entry has each page once already.
        var merged = entries.Count > 1 ? merger.Encode(bytes - (bytes / 4)) ?? default : default;
        var table = new byte[EpochTableFormat.SizeOf(epochs)];
        EpochTableFormat.Write(table, epochs);
        var contents = new List<ReadOnlyMemory<byte>>[]
        {
            [.. entries.Select(static entry => entry.Encoded)], [merged], [index.SelectMany(static row => row).ToArray()], [table],
        };
        var parts = new SegmentPart[SegmentFooter.PartCount];
        var stored = new List<ReadOnlyMemory<byte>> { SegmentFooter.Head() };
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = Store(contents[i], compress, stored);
        }

        var footer = new SegmentFooter
        {
            Database = first.Database,
            First = first.Predecessor,
            Last = last.End,
            FirstCommitTime = first.Header.CommitTimeMicroseconds,
            LastCommitTime = last.Header.CommitTimeMicroseconds,
            PageSizeBytes = first.Header.PageSizeBytes,
            SizePages = last.Header.DatabaseSizePages,
            LeastSizePages = merger.LeastSizePages,
            EntryCount = entries.Count,
            PageCount = merged.IsEmpty ? 0 : merger.Count,
            Entries = parts[0],
            Pages = parts[1],
            Index = parts[2],
            Epochs = parts[3],
        };
        stored.Add(footer.Write());
        return new Segment(ColdNames.Segment(first.Database, first.Predecessor, last.End), stored, footer);
    }

    private static SegmentPart Store(List<ReadOnlyMemory<byte>> content, bool compress, List<ReadOnlyMemory<byte>> stored)
    {
        var bytes = content.Sum(static piece => (long)piece.Length);
        if (compress && bytes <= int.MaxValue / 2)
        {
            var whole = content.Count == 1 ? content[0] : Concatenate(content, (int)bytes);
            var (compressed, encoding) = PartEncoding.Encode(whole, compress);
            stored.Add(compressed);
            return new SegmentPart(compressed.Length, bytes, Crc32C.Of(compressed.Span), encoding);
        }

        var checksum = uint.MaxValue;
        foreach (var piece in content)
        {
            stored.Add(piece);
            checksum = Crc32C.Append(checksum, piece.Span);
        }

        return new SegmentPart(bytes, bytes, ~checksum, PartEncoding.Plain);
    }

    private static byte[] Concatenate(List<ReadOnlyMemory<byte>> content, int bytes)
    {
        var whole = new byte[bytes];
        var offset = 0;
        foreach (var piece in content)
        {
            piece.Span.CopyTo(whole.AsSpan(offset));
            offset += piece.Length;
        }

        return whole;
    }

    private static byte[] IndexRow(Entry entry, long offset)
    {
        var row = new byte[IndexRowBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(row, entry.End.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(row.AsSpan(8), entry.End.Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(row.AsSpan(16), entry.Header.CommitTimeMicroseconds);
        BinaryPrimitives.WriteInt64LittleEndian(row.AsSpan(24), offset);
        return row;
    }
}
