using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

public sealed class PatchPropertyTests
{
    [Fact]
    public void Copies_that_know_only_the_patches_are_the_primary_page_by_page() => Seeds.ForEach(usual: 24, full: 400, seed =>
    {
        var random = new Random(seed);
        var pageSizeBytes = 512 << random.Next(8);
        var cacheBytes = random.Next(4) switch { 0 => 0L, 1 => 5L * pageSizeBytes, _ => 4L << 20 };
        RunAsync(random, pageSizeBytes, cacheBytes).GetAwaiter().GetResult();
    });

    private static async Task RunAsync(Random random, int pageSizeBytes, long cacheBytes)
    {
        await using var copies = new PatchedCopies(random, pageSizeBytes, cacheBytes);
        for (var i = 0; i < 60; i++)
        {
            copies.Step();
            switch (random.Next(8))
            {
                case 0:
                    copies.Publish(random.Next(1, 6));
                    break;
                case 1:
                    copies.Repeat(random.Next(1, 6));
                    break;
                case 2:
                    copies.Checkpoint(restart: random.Next(2) == 0);
                    break;
                case 3:
                    copies.CheckCopies();
                    break;
            }
        }

        copies.CheckCopies();
        copies.CheckReplayOverNewer(random.Next(copies.Log.Count));
        var patches = Patches(copies.Log);
        Assert.True(cacheBytes == 0 ? patches == 0 : patches > 0, $"{patches} patches with a cache of {cacheBytes} bytes");
    }

    private static int Patches(IEnumerable<Entry> log)
    {
        var patches = 0;
        foreach (var entry in log)
        {
            foreach (var record in entry.Pages)
            {
                patches += record.IsPatch ? 1 : 0;
            }
        }

        return patches;
    }
}
