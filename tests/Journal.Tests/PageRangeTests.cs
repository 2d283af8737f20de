using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Journal.Tests;

public sealed class PageRangeTests
{
    [Fact]
    public void Whatever_changed_is_found_and_set_again() => Seeds.ForEach(usual: 300, full: 20_000, seed =>
    {
        var random = new Random(seed);
        var (before, after) = RandomChange(random);
        var target = new byte[2 * after.Length];
        var written = PageRanges.Encode(before, after, target);
        Assert.Null(PageRanges.FindFault(target.AsSpan(0, written), after.Length));
        var page = before.ToArray();
        PageRanges.Apply(target.AsSpan(0, written), page);
        Assert.Equal(after, page);
        PageRanges.Apply(target.AsSpan(0, written), page); // again: harmless
        Assert.Equal(after, page);
        Assert.Equal(written, PageRanges.Encode(before, after, target.AsSpan(0, written)));
        Assert.Equal(written == 0 ? 0 : -1, PageRanges.Encode(before, after, target.AsSpan(0, Math.Max(0, written - 1))));
    });

    [Fact]
    public void A_record_is_never_longer_than_the_whole_page_and_is_set_as_it_was_given() => Seeds.ForEach(usual: 300, full: 20_000, seed =>
    {
        var random = new Random(seed);
        var (before, after) = RandomChange(random);
        var header = Golden.PageEntry().Header with { PageSizeBytes = after.Length, DatabaseSizePages = uint.MaxValue };
        var number = (uint)random.Next(1, 200_000_000);
        var builder = new EntryBuilder(header, 1);
        builder.AddPatch(number, before, Crc32C.Of(before), after, Crc32C.Of(after));
        var entry = Entry.Decode(builder.Build().Encoded);
        Assert.InRange(entry.Pages.SizeBytes, 1, after.Length + 5);
        foreach (var record in entry.Pages)
        {
            var page = before.ToArray();
            record.ApplyChecked(page, entry);
            Assert.Equal((number, true), (record.PageNumber, page.AsSpan().SequenceEqual(after)));
        }
    });

    [Fact]
    public void A_page_that_was_emptied_goes_without_its_zeros_instead_of_as_a_large_patch()
    {
        var before = new byte[4096];
        new Random(1).NextBytes(before);
        var after = new byte[4096];
        after[0] = 1;
        var builder = new EntryBuilder(Golden.PageEntry().Header with { PageSizeBytes = 4096 }, 1);
        builder.AddPatch(1, before, Crc32C.Of(before), after, Crc32C.Of(after));
        foreach (var record in builder.Build().Pages)
        {
            Assert.Equal((PageKind.Sparse, 3), (record.Kind, record.Data.Length));
        }
    }

    private static (byte[] Before, byte[] After) RandomChange(Random random)
    {
        var before = new byte[512 << random.Next(8)];
        if (random.Next(4) > 0)
        {
            random.NextBytes(before);
        }

        var after = before.ToArray();
        for (var changes = random.Next(12); changes > 0; changes--)
        {
            var at = random.Next(after.Length);
            var count = Math.Min(after.Length - at, random.Next(3) == 0 ? random.Next(after.Length) : random.Next(20));
            var with = random.Next(3);
            foreach (ref var value in after.AsSpan(at, count))
            {
                value = with == 0 ? (byte)0 : with == 1 ? (byte)random.Next(256) : (byte)(value + random.Next(2));
            }
        }

        return (before, after);
    }
}
