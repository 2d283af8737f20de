using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

public sealed class PageMergeTests
{
    private const int PageBytes = 512;
    private static readonly DatabaseId _database = new(new Guid("11111111-2222-3333-4444-555555555555"));

    [Fact]
    public void Merged_pages_make_of_any_state_what_the_entries_one_by_one_make_of_it() => Seeds.ForEach(usual: 200, full: 10_000, seed =>
    {
        var random = new Random(seed);
        var start = Pages(random, random.Next(1, 20));
        var (entries, end) = Log(random, start, random.Next(1, 30));
        var merger = new PageMerger(PageBytes);
        entries.ForEach(merger.Add);
        var merged = merger.Encode(long.MaxValue)!.Value;

        Assert.Null(MergedPages.FindFault(merged.Span, merger.Count, merger.SizePages, PageBytes));
        Assert.Equal(merger.Count, MergedPages.Read(merged, PageBytes).Select(record => record.PageNumber).Distinct().Count());
        Assert.Equal(end, Apply(merger, merged, start, entries));
    });

    [Fact]
    public void Merged_pages_are_checked_against_the_page_that_they_are_for() => Seeds.ForEach(usual: 50, full: 1000, seed =>
    {
        var random = new Random(seed);
        List<byte[]> start = [.. Enumerable.Range(0, 3).Select(_ => { var page = new byte[PageBytes]; random.NextBytes(page); return page; })]; // full, so that a patch is shorter
        var entry = Patch(random, Position.Start with { Epoch = 1, Sequence = 5 }, start, [.. start.Select(page => Change(random, page))], alwaysPatch: true);
        var merger = new PageMerger(PageBytes);
        merger.Add(entry);
        var merged = merger.Encode(long.MaxValue)!.Value;
        start[random.Next(3)][random.Next(PageBytes)] ^= 1;
        Assert.Throws<PageMismatchException>(() => Apply(merger, merged, start, [entry]));
    });

    [Fact]
    public void No_more_is_written_than_was_allowed()
    {
        var random = new Random(1);
        var start = Pages(random, 10);
        var (entries, _) = Log(random, start, 10);
        var merger = new PageMerger(PageBytes);
        entries.ForEach(merger.Add);
        var bytes = merger.Encode(long.MaxValue)!.Value.Length;
        Assert.NotNull(merger.Encode(bytes));
        Assert.Null(merger.Encode(bytes - 1));
    }

    [Fact]
    public void Turned_bits_in_merged_pages_are_found_or_make_no_other_page() => Seeds.ForEach(usual: 100, full: 5000, seed =>
    {
        var random = new Random(seed);
        var start = Pages(random, 5);
        var (entries, _) = Log(random, start, 5);
        var merger = new PageMerger(PageBytes);
        entries.ForEach(merger.Add);
        var merged = merger.Encode(long.MaxValue)!.Value.ToArray();
        merged[random.Next(merged.Length)] ^= (byte)(1 << random.Next(8));
        if (MergedPages.FindFault(merged, merger.Count, merger.SizePages, PageBytes) is null)
        {
            _ = MergedPages.Read(merged, PageBytes).Count(); // reading what passed the check never leaves the bytes
        }
    });

    private static List<byte[]> Pages(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        var page = new byte[PageBytes];
        random.NextBytes(page.AsSpan(0, random.Next(PageBytes)));
        return page;
    })];

    private static byte[] Change(Random random, byte[] page)
    {
        var changed = page.ToArray();
        for (var i = random.Next(1, 40); i > 0; i--)
        {
            changed[random.Next(PageBytes)] = (byte)random.Next(256);
        }

        return changed;
    }

    // Entries that change, add and remove pages, with the states between them.
    private static (List<Entry> Entries, List<byte[]> End) Log(Random random, List<byte[]> state, int count)
    {
        var position = new Position(1, 5, default);
        var entries = new List<Entry>();
        for (var i = 0; i < count; i++)
        {
            var after = state.Take(random.Next(5) == 0 ? random.Next(1, state.Count + 1) : state.Count).Select(page => random.Next(3) == 0 ? Change(random, page) : page).ToList();
            if (random.Next(3) == 0)
            {
                after.AddRange(Pages(random, random.Next(1, 4)));
            }

            entries.Add(Patch(random, position, state, after));
            position = entries[^1].End;
            state = after;
        }

        return (entries, state);
    }

    private static Entry Patch(Random random, Position predecessor, List<byte[]> before, List<byte[]> after, bool alwaysPatch = false)
    {
        var changed = Enumerable.Range(0, after.Count).Where(i => i >= before.Count || !ReferenceEquals(before[i], after[i])).ToList();
        var builder = new EntryBuilder(
            new EntryHeader
            {
                Database = _database,
                Epoch = predecessor.Epoch,
                FirstSequence = predecessor.Sequence + 1,
                LastSequence = predecessor.Sequence + 1,
                Predecessor = predecessor,
                PageSizeBytes = PageBytes,
                DatabaseSizePages = (uint)after.Count,
                CommitTimeMicroseconds = 1,
            },
            changed.Count);
        foreach (var i in changed)
        {
            if (i < before.Count && (alwaysPatch || random.Next(4) != 0))
            {
                builder.AddPatch((uint)i + 1, before[i], Crc32C.Of(before[i]), after[i], Crc32C.Of(after[i]));
            }
            else
            {
                builder.AddPage((uint)i + 1, after[i]);
            }
        }

        return builder.Build();
    }

    private static List<byte[]> Apply(PageMerger merger, ReadOnlyMemory<byte> merged, List<byte[]> start, List<Entry> entries)
    {
        var pages = start.Take((int)merger.LeastSizePages).Select(page => page.ToArray()).ToList();
        while (pages.Count < merger.SizePages)
        {
            pages.Add(new byte[PageBytes]);
        }

        foreach (var record in MergedPages.Read(merged, PageBytes))
        {
            record.ApplyChecked(pages[(int)record.PageNumber - 1], entries[^1].End);
        }

        return pages;
    }
}
