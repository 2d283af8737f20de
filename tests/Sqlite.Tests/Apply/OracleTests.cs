namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>The fast applier does what the slow one does: appends, parts that stop, confirmations of several, discards, restarts, in any order.</summary>
public sealed class OracleTests
{
    [Fact]
    public void Fast_and_slow_applier_show_the_same_pages_whatever_happens() => Seeded.Run(random =>
    {
        for (var round = 0; round < (Seeded.IsFull ? 60 : 5); round++)
        {
            using var folder = new TemporaryFolder();
            var pageSizeBytes = 512 << random.Next(8);
            using var pair = new ReplicaPair(folder.Root, pageSizeBytes);
            DatabaseFile.CreateEmpty(folder.File("slow.db"), pageSizeBytes);
            using var slow = SlowApplier.Open(folder.File("slow.db"), pageSizeBytes);
            using var fastReader = SqliteConnection.Open(pair.ReplicaPath);
            Run(random, pair, slow, () => PageImages.AssertEqual(PageImages.Read(folder.File("slow.db")), PageImages.Read(fastReader)));
            Assert.Equal("ok", fastReader.QueryText("PRAGMA integrity_check"));
        }
    });

    private static void Run(Random random, ReplicaPair pair, SlowApplier slow, Action compare)
    {
        var fast = pair.Applier;
        var workload = new RandomWorkload(random, pair.Writer);
        var ship = new PageSet();
        pair.Ship();
        var (confirmed, last) = (0L, ReplicaPair.Append(slow, pair.Pages));
        for (var step = 0; step < 80; step++)
        {
            switch (random.Next(8))
            {
                case 0 when last > confirmed:
                    // The primary's later pages build on what is discarded here, so the whole database follows.
                    var kept = random.NextInt64(confirmed, last);
                    fast.DiscardAfter(kept);
                    slow.DiscardAfter(kept);
                    AppendGarbage(random, pair, slow);
                    fast.DiscardAfter(kept);
                    slow.DiscardAfter(kept);
                    last = Resend(pair, slow);
                    Assert.Equal(kept + 1, last);
                    break;
                case 1 when last > confirmed:
                    confirmed = random.NextInt64(confirmed, last + 1);
                    fast.Confirm(confirmed);
                    slow.Confirm(confirmed);
                    compare();
                    break;
                case 2:
                    fast.BeginTransaction(100);
                    for (var page = 2u; page < random.Next(2, 90); page++)
                    {
                        fast.WritePage(page, new byte[pair.Capture.PageSizeBytes]);
                    }

                    fast.AbortTransaction();
                    break;
                case 3 when fast.HiddenTransactions == 0:
                    pair.ApplierConnection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
                    break;
                default:
                    workload.Step();
                    if (pair.Capture.Capture(ship))
                    {
                        Assert.Equal(last + 1, ReplicaPair.Append(fast, ship));
                        last = ReplicaPair.Append(slow, ship);
                    }

                    break;
            }

            Assert.Equal(slow.HiddenTransactions, fast.HiddenTransactions);
        }

        fast.Confirm(last);
        slow.Confirm(last);
        compare();
    }

    private static void AppendGarbage(Random random, ReplicaPair pair, SlowApplier slow)
    {
        var garbage = new byte[pair.Capture.PageSizeBytes];
        for (var i = random.Next(5); i > 0; i--)
        {
            random.NextBytes(garbage);
            var page = (uint)random.Next(1, 51);
            foreach (var applier in new IPageApplier[] { pair.Applier, slow })
            {
                applier.BeginTransaction(50);
                applier.WritePage(page, garbage);
                _ = applier.EndTransaction();
            }
        }
    }

    private static long Resend(ReplicaPair pair, SlowApplier slow)
    {
        var pages = PageImages.Read(pair.PrimaryPath);
        var last = 0L;
        foreach (var applier in new IPageApplier[] { pair.Applier, slow })
        {
            applier.BeginTransaction((uint)pages.Length);
            for (var i = 0; i < pages.Length; i++)
            {
                applier.WritePage((uint)i + 1, pages[i]);
            }

            last = applier.EndTransaction();
        }

        return last;
    }
}
