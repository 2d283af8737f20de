namespace ReplicatedSqlite.Primary.Tests;

public sealed class ImageCacheTests
{
    private const int PageSizeBytes = 512;

    [Fact]
    public void A_full_cache_lets_the_least_used_image_go()
    {
        var budget = new ImageBudget(4 * PageSizeBytes);
        var cache = new ImageCache(budget);
        Add(cache, 1, 2, 3, 4);
        Assert.NotNull(cache.Find(1));
        Assert.NotNull(cache.Find(3));
        Add(cache, 5, 6);
        Assert.Equal([true, false, true, false, true, true], Enumerable.Range(1, 6).Select(page => cache.Find((uint)page) is not null));
        Assert.Equal((4, 4L * PageSizeBytes), (cache.Count, budget.TakenBytes));
    }

    [Fact]
    public void An_image_is_the_last_that_was_set()
    {
        var cache = new ImageCache(new ImageBudget(2 * PageSizeBytes));
        Add(cache, 1, 2);
        cache.Find(2)!.Set(new byte[PageSizeBytes], 77);
        Assert.Equal((77u, 0), (cache.Find(2)!.Checksum, cache.Find(2)!.Bytes[0]));
        Add(cache, 3); // in the place of the first
        Assert.Null(cache.Find(1));
        Assert.Equal((3u, (byte)3), (cache.Find(3)!.Checksum, cache.Find(3)!.Bytes[0]));
    }

    [Fact]
    public void What_lies_beyond_the_databases_end_is_forgotten()
    {
        var budget = new ImageBudget(10 * PageSizeBytes);
        var cache = new ImageCache(budget);
        Add(cache, 9, 2, 7, 4, 8);
        cache.CutTo(4);
        Assert.Equal([2u, 4u], Enumerable.Range(1, 10).Where(page => cache.Find((uint)page) is not null).Select(page => cache.Find((uint)page)!.PageNumber));
        Assert.Equal(2 * PageSizeBytes, budget.TakenBytes);
        cache.Clear();
        Assert.Equal((0, 0L), (cache.Count, budget.TakenBytes));
        Add(cache, 9);
        Assert.Equal((byte)9, cache.Find(9)!.Bytes[0]);
    }

    [Fact]
    public void Without_memory_nothing_is_kept()
    {
        var cache = new ImageCache(new ImageBudget(PageSizeBytes - 1));
        Add(cache, 1);
        Assert.Equal((0, null), (cache.Count, cache.Find(1)));
    }

    [Fact]
    public void Caches_share_the_memory_of_the_node_and_never_take_more()
    {
        var budget = new ImageBudget(12 * PageSizeBytes);
        var caches = Enumerable.Range(0, 3).Select(_ => new ImageCache(budget)).ToArray();
        Add(caches[0], [.. Enumerable.Range(1, 20).Select(page => (uint)page)]);
        Assert.Equal(12, caches[0].Count);
        Add(caches[1], 1); // nothing is left
        Assert.Equal(0, caches[1].Count);
        caches[0].Clear();
        foreach (var cache in caches)
        {
            Add(cache, 1);
        }

        for (uint page = 2; page < 20; page++)
        {
            Add(caches[page % 3], page);
            Assert.InRange(budget.TakenBytes, 0, 12 * PageSizeBytes);
        }

        Assert.All(caches, cache => Assert.Equal(4, cache.Count));
        caches[0].Clear();
        Add(caches[1], 30, 31, 32);
        Assert.Equal(6, caches[1].Count); // half of it now
        Add(caches[0], 1);
        caches[1].Trim();
        Assert.Equal(4, caches[1].Count);
    }

    [Fact]
    public void Random_use_keeps_list_table_and_budget_together() => Testing.Seeds.ForEach(usual: 20, full: 500, seed =>
    {
        var random = new Random(seed);
        var budget = new ImageBudget(random.Next(1, 30) * PageSizeBytes);
        var cache = new ImageCache(budget);
        var images = new Dictionary<uint, byte>();
        for (var i = 0; i < 2000; i++)
        {
            var page = (uint)random.Next(1, 60);
            if (cache.Find(page) is { } found)
            {
                Assert.Equal((page, images[page]), (found.PageNumber, found.Bytes[^1]));
                found.Set(Image(images[page] = (byte)random.Next(256)), page);
            }
            else
            {
                cache.Add(page, Image(images[page] = (byte)random.Next(256)), page);
            }

            if (random.Next(50) == 0)
            {
                cache.CutTo((uint)random.Next(60));
            }

            Assert.Equal((long)cache.Count * PageSizeBytes, budget.TakenBytes);
        }

        Assert.Equal(Enumerable.Range(1, 60).Count(page => cache.Find((uint)page) is not null), cache.Count);
        cache.Clear();
        Assert.Equal(0, budget.TakenBytes);
    });

    private static void Add(ImageCache cache, params uint[] pages)
    {
        foreach (var page in pages)
        {
            cache.Add(page, Image((byte)page), page);
        }
    }

    private static byte[] Image(byte fill)
    {
        var image = new byte[PageSizeBytes];
        image.AsSpan().Fill(fill);
        return image;
    }
}
