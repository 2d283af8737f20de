using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

/// <summary>A transaction such as VACUUM's is one entry, however large.</summary>
public sealed class LargeEntryTests
{
    private const int PageSizeBytes = 4096;

    [Fact]
    public void A_large_entry_takes_its_size_in_memory_once_and_is_read_back()
    {
        var pages = (Seeds.IsFull ? 200 << 20 : 16 << 20) / PageSizeBytes;
        var image = new byte[PageSizeBytes];
        var random = new Random(1);
        random.NextBytes(image);
        var header = Golden.PageEntry().Header with { PageSizeBytes = PageSizeBytes, DatabaseSizePages = (uint)pages };
        var before = GC.GetAllocatedBytesForCurrentThread();
        var builder = new EntryBuilder(header, pages);
        for (uint page = 1; page <= pages; page++)
        {
            image[page % PageSizeBytes]++;
            builder.AddPage(page, image);
        }

        var entry = builder.Build();
        var size = (long)pages * PageSizeBytes;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, size, size * 11 / 10);
        Assert.InRange(entry.Encoded.Length, size - (size / 100), size + (size / 100));

        var last = default(PageRecord);
        foreach (var record in Entry.Decode(entry.Encoded).Pages)
        {
            last = record;
        }

        var made = new byte[PageSizeBytes];
        last.ApplyTo(made);
        Assert.Equal((uint)pages, last.PageNumber);
        Assert.Equal(image, made);
    }

    // Its pages are hardly used, as after a large deletion: what was not needed is given back.
    [Fact]
    public void A_large_entry_of_sparse_pages_keeps_only_what_it_needs()
    {
        const int pages = 4096;
        var image = new byte[PageSizeBytes];
        image[^1] = 1;
        var builder = new EntryBuilder(Golden.PageEntry().Header with { PageSizeBytes = PageSizeBytes, DatabaseSizePages = pages }, pages);
        for (uint page = 1; page <= pages; page++)
        {
            builder.AddPage(page, image);
        }

        var entry = builder.Build();
        Assert.Equal(70 + (pages * 6) + 4, entry.Encoded.Length); // head, length, gap in two bytes, count, byte
        Assert.Equal(pages, Entry.Decode(entry.Encoded).Pages.Count);
    }
}
