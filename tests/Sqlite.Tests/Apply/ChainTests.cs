namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Primary, capture, applier: the replica's pages are the primary's, byte for byte.</summary>
public sealed class ChainTests
{
    [Fact]
    public void Replica_pages_equal_the_primarys_after_every_transaction() => Seeded.Run(random =>
    {
        for (var round = 0; round < (Seeded.IsFull ? 60 : 6); round++)
        {
            using var folder = new TemporaryFolder();
            using var pair = new ReplicaPair(folder.Root, 512 << random.Next(8));
            using var reader = SqliteConnection.Open(pair.ReplicaPath);
            var workload = new RandomWorkload(random, pair.Writer);
            var confirmed = PageImages.Read(reader);
            var last = pair.Ship();
            var expected = PageImages.Read(pair.PrimaryPath);
            for (var step = 0; step < 60; step++)
            {
                if (random.Next(3) > 0 && last != 0)
                {
                    pair.Applier.Confirm(last);
                    confirmed = expected;
                }

                PageImages.AssertEqual(confirmed, PageImages.Read(reader));
                if (random.Next(12) == 0)
                {
                    pair.Writer.Execute("PRAGMA wal_checkpoint(" + (random.Next(2) == 0 ? "PASSIVE" : "TRUNCATE") + ")"); // restarts the primary's WAL
                }

                if (random.Next(12) == 0 && pair.Applier.HiddenTransactions == 0)
                {
                    pair.ApplierConnection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
                }

                workload.Step();
                var shipped = pair.Ship();
                last = shipped != 0 ? shipped : last;
                expected = PageImages.Read(pair.PrimaryPath);
            }

            pair.Applier.Confirm(last);
            PageImages.AssertEqual(expected, PageImages.Read(reader));
            Assert.Equal("ok", reader.QueryText("PRAGMA integrity_check"));
        }
    });
}
