using System.Buffers;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Journal;

/// <summary>Makes the pages of a stretch of log into one set: each page once, as the whole stretch changes it.</summary>
/// <remarks>
/// Keeps references into the entries that were added, no pages, until <see cref="Encode"/>. Which pages have an image and which only ranges follows from the entries alone, so the
/// same stretch always gives the same bytes. One thread.
/// </remarks>
public sealed class PageMerger(int pageSizeBytes)
{
    private readonly List<(PageRecord Record, int Previous)> _records = [];
    private readonly Dictionary<uint, int> _newest = []; // page, and its last record

    /// <summary>The database's size behind the last entry.</summary>
    public uint SizePages { get; private set; }

    /// <summary>The least size that it had behind any entry: what lies above begins as zeros.</summary>
    public uint LeastSizePages { get; private set; } = uint.MaxValue;

    /// <summary>Different pages so far.</summary>
    public int Count => _newest.Count;

    /// <summary>Adds the entry behind the last one.</summary>
    public void Add(Entry entry)
    {
        var sizePages = entry.Header.DatabaseSizePages;
        if (sizePages < SizePages)
        {
            foreach (var page in _newest.Keys.Where(page => page > sizePages).ToList())
            {
                _newest.Remove(page); // it has gone; another of this number comes whole
            }
        }

        SizePages = sizePages;
        LeastSizePages = Math.Min(LeastSizePages, sizePages);
        foreach (var record in entry.Pages)
        {
            ref var newest = ref CollectionsMarshal.GetValueRefOrAddDefault(_newest, record.PageNumber, out var known);
            _records.Add((record, known && record.IsPatch ? newest : -1)); // a whole page makes what came before it needless
            newest = _records.Count - 1;
        }
    }

    /// <summary>Writes the records in order of their pages (docs/formats.md, "Segment", pages).</summary>
    /// <param name="mostBytes">Beyond this the result is of no use.</param>
    /// <returns><see langword="null"/> if it would be longer.</returns>
    public ReadOnlyMemory<byte>? Encode(long mostBytes)
    {
        var target = new ArrayBufferWriter<byte>();
        var previous = 0u;
        var image = new byte[pageSizeBytes];
        var known = new bool[pageSizeBytes];
        var chain = new Stack<PageRecord>();
        foreach (var page in _newest.Keys.Order())
        {
            for (var i = _newest[page]; i >= 0; i = _records[i].Previous)
            {
                chain.Push(_records[i].Record);
            }

            target.Advance(Write(target.GetSpan(MergedPages.MostBytesOfRecord(pageSizeBytes)), page, previous, chain, image, known));
            if (target.WrittenCount > mostBytes)
            {
                return null;
            }

            previous = page;
        }

        return target.WrittenMemory;
    }

    private static int Write(Span<byte> target, uint page, uint previous, Stack<PageRecord> chain, byte[] image, bool[] known)
    {
        var first = chain.Peek();
        if (chain.Count == 1)
        {
            chain.Pop();
            var size = PageRecordHeader.Write(target, page, previous, first.Kind, first.Before, first.After, first.Data.Length);
            first.Data.Span.CopyTo(target[size..]);
            return size + first.Data.Length;
        }

        Array.Clear(image);
        Array.Clear(known);
        var after = 0u;
        while (chain.TryPop(out var record))
        {
            record.ApplyTo(image);
            after = record.After;
            if (first.IsPatch)
            {
                PageRanges.Mark(record.Data.Span, known);
            }
        }

        return first.IsPatch ? WriteRanges(target, page, previous, first.Before, after, image, known) : WriteImage(target, page, previous, image);
    }

    private static int WriteImage(Span<byte> target, uint page, uint previous, byte[] image)
    {
        var headBytes = PageRecordHeader.MaxBytes;
        var ranges = PageRanges.Encode(new byte[image.Length], image, target.Slice(headBytes, image.Length - 3));
        var kind = ranges < 0 ? PageKind.Whole : PageKind.Sparse;
        var length = ranges < 0 ? image.Length : ranges;
        var size = PageRecordHeader.Write(target, page, previous, kind, 0, 0, length);
        (ranges < 0 ? image : target.Slice(headBytes, ranges)).CopyTo(target[size..]);
        return size + length;
    }

    // Bytes that no record set are not known here: ranges are never joined over them.
    private static int WriteRanges(Span<byte> target, uint page, uint previous, uint before, uint after, byte[] image, bool[] known)
    {
        var headBytes = PageRecordHeader.MaxBytes;
        var written = headBytes;
        var end = 0;
        for (var start = Array.IndexOf(known, true); start >= 0; start = Array.IndexOf(known, true, end))
        {
            var next = Array.IndexOf(known, false, start);
            var stop = next < 0 ? image.Length : next;
            written += Varint.Write(target[written..], (uint)(start - end));
            written += Varint.Write(target[written..], (uint)(stop - start));
            image.AsSpan(start, stop - start).CopyTo(target[written..]);
            written += stop - start;
            end = stop;
            if (end == image.Length)
            {
                break;
            }
        }

        var length = written - headBytes;
        var size = PageRecordHeader.Write(target, page, previous, PageKind.Patch, before, after, length);
        target.Slice(headBytes, length).CopyTo(target[size..]);
        return size + length;
    }
}
