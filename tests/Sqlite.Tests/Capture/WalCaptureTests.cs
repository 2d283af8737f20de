namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>What is captured is what SQLite sees: nothing missing, nothing too much, over restarts of the WAL.</summary>
public sealed class WalCaptureTests
{
    [Fact]
    public void Captured_pages_and_those_before_make_the_database_after_every_commit() => Seeded.Run(random =>
    {
        var restarts = 0;
        for (var round = 0; round < (Seeded.IsFull ? 40 : 6); round++)
        {
            using var folder = new TemporaryFolder();
            var path = folder.File("a.db");
            DatabaseFile.CreateEmpty(path, 512 << random.Next(8));
            using var writer = SqliteConnection.Open(path);
            writer.SetBusyTimeout(TimeSpan.Zero); // a restart that meets the reader gives up at once
            using var reader = SqliteConnection.Open(path);
            using var capture = new WalCapture(writer);
            var known = new List<byte[]> { DatabaseFile.FirstPage(capture.PageSizeBytes) };
            var pages = new PageSet();
            var workload = new RandomWorkload(random, writer);
            for (var step = 0; step < 80; step++)
            {
                var sizeBefore = capture.WalSizeBytes;
                if (capture.Capture(pages))
                {
                    Apply(known, pages);
                }

                restarts += capture.WalSizeBytes < sizeBefore ? 1 : 0;
                PageImages.AssertEqual([.. known], PageImages.Read(path));
                Assert.False(capture.Capture(pages));
                MoveTheReader(random, reader);
                if (random.Next(5) == 0)
                {
                    // SQLite's own writer restarts the WAL at its next commit when everything is backfilled and nobody reads it.
                    writer.Execute(random.Next(3) == 0 ? "PRAGMA wal_checkpoint(TRUNCATE)" : "PRAGMA wal_checkpoint(PASSIVE)");
                }

                workload.Step();
            }
        }

        Assert.True(restarts > 0, "no restart of the WAL was met");
    });

    [Fact]
    public void A_commit_that_a_checkpoint_took_away_before_its_capture_is_noticed()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        _ = pair.Ship("CREATE TABLE t(a)");
        pair.Writer.Execute("INSERT INTO t VALUES (1); PRAGMA wal_checkpoint(TRUNCATE)");
        Assert.Contains("0 of the 1", Assert.Throws<InvalidDataException>(() => pair.Capture.Capture(pair.Pages)).Message, StringComparison.Ordinal);
        pair.Writer.Execute("INSERT INTO t VALUES (2)");
        Assert.Contains("1 of the 2", Assert.Throws<InvalidDataException>(() => pair.Capture.Capture(pair.Pages)).Message, StringComparison.Ordinal);
        Assert.Equal(0, pair.Pages.Count);
    }

    [Fact]
    public void Several_commits_at_once_are_captured_as_their_sum()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        pair.Writer.Execute("CREATE TABLE t(a); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)");
        Assert.True(pair.Capture.Capture(pair.Pages));
        Assert.Equal(2, pair.Pages.Count);
        Assert.Equal([1u, 2u], [pair.Pages.PageNumber(0), pair.Pages.PageNumber(1)]);
    }

    [Fact]
    public void A_rollback_and_an_empty_transaction_leave_nothing_to_capture()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        _ = pair.Ship("CREATE TABLE t(a)");
        pair.Writer.Execute("BEGIN IMMEDIATE; COMMIT; BEGIN; INSERT INTO t VALUES (zeroblob(3000000)); ROLLBACK; BEGIN; DELETE FROM t WHERE a = 5; COMMIT");
        Assert.False(pair.Capture.Capture(pair.Pages));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(20)]
    public void A_frame_that_does_not_belong_is_refused_with_its_place(int damagedByte)
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        _ = pair.Ship("CREATE TABLE t(a)");
        pair.Writer.Execute("INSERT INTO t VALUES (1)");
        var offset = WalLayout.FrameOffset((uint)((pair.Capture.WalSizeBytes - WalHeader.SizeBytes) / WalLayout.FrameSizeBytes(4096)) + 1, 4096);
        using (var wal = new WalFile(WalFile.PathOf(pair.PrimaryPath), FileAccess.ReadWrite))
        {
            var header = new byte[WalFrameHeader.SizeBytes];
            wal.Read(header, offset);
            header[damagedByte] ^= (byte)(damagedByte == 3 ? header[3] : 0x10); // page number 0, other salts, another checksum
            wal.Write(header, offset);
        }

        var refusal = Assert.Throws<InvalidDataException>(() => pair.Capture.Capture(pair.Pages)).Message;
        Assert.Contains($"byte {offset}", refusal, StringComparison.Ordinal);
    }

    private static void MoveTheReader(Random random, SqliteConnection reader)
    {
        switch (random.Next(4))
        {
            case 0 when reader.IsAutocommit:
                reader.Execute("BEGIN; SELECT count(*) FROM sqlite_schema");
                break;
            case 1 when !reader.IsAutocommit:
                reader.Execute("COMMIT");
                break;
        }
    }

    private static void Apply(List<byte[]> known, PageSet pages)
    {
        while (known.Count < pages.DatabaseSizePages)
        {
            known.Add(new byte[pages.PageSizeBytes]);
        }

        known.RemoveRange((int)pages.DatabaseSizePages, known.Count - (int)pages.DatabaseSizePages);
        for (var i = 0; i < pages.Count; i++)
        {
            Assert.True(i == 0 || pages.PageNumber(i) > pages.PageNumber(i - 1));
            known[(int)pages.PageNumber(i) - 1] = pages.Page(i).ToArray();
        }
    }
}
