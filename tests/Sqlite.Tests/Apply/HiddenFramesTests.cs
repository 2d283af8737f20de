namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>What is not confirmed is seen by nobody: no reader, and nobody who opens a copy of the files.</summary>
public sealed class HiddenFramesTests
{
    [Fact]
    public void A_copy_of_file_and_WAL_shows_just_the_confirmed_rows() => Seeded.Run(random =>
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root, 512 << random.Next(8));
        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        pair.Applier.Confirm(pair.Ship("CREATE TABLE t(id INTEGER PRIMARY KEY, a)"));
        var (confirmed, last) = (1L, 1L);
        for (var copy = 0; copy < 8; copy++)
        {
            for (var i = random.Next(1, 10); i > 0; i--)
            {
                last = pair.Ship($"INSERT INTO t(a) VALUES (randomblob({(random.Next(4) == 0 ? 20_000 : 10)}))");
            }

            if (random.Next(3) > 0)
            {
                confirmed = random.NextInt64(confirmed, last + 1);
                pair.Applier.Confirm(confirmed);
            }

            FileCopy.Take(pair.ReplicaPath, folder.File($"copy{copy}.db"), withWal: true);
            using var copied = SqliteConnection.Open(folder.File($"copy{copy}.db"));
            Assert.Equal(confirmed - 1, copied.QueryInteger("SELECT count(*) FROM t"));
            Assert.Equal("ok", copied.QueryText("PRAGMA integrity_check"));
            PageImages.AssertEqual(PageImages.Read(reader), PageImages.Read(copied));
        }
    });

    [Fact]
    public void A_transaction_of_thousands_of_pages_is_hidden_until_confirmed_and_whole_after()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        pair.Applier.Confirm(pair.Ship("CREATE TABLE t(a)"));
        var big = pair.Ship("INSERT INTO t WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT randomblob(4000) FROM n");
        Assert.True(pair.Pages.Count > 9000);
        var after = pair.Ship("INSERT INTO t VALUES (1)");
        Assert.Equal(0, reader.QueryInteger("SELECT count(*) FROM t"));
        FileCopy.Take(pair.ReplicaPath, folder.File("before.db"), withWal: true);
        pair.Applier.Confirm(big);
        Assert.Equal(9000, reader.QueryInteger("SELECT count(*) FROM t"));
        pair.Applier.Confirm(after);
        FileCopy.Take(pair.ReplicaPath, folder.File("after.db"), withWal: true);
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(reader));
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(folder.File("after.db")));
        Assert.Equal(2, PageImages.Read(folder.File("before.db")).Length);
    }

    // Over several blocks of the WAL-index, before and after a restart of the WAL, with pages that stand in it more than once.
    [Fact]
    public void A_page_is_read_as_the_last_hidden_transaction_left_it()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root, 512);
        pair.Ship("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
        pair.Ship("INSERT INTO t WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i, randomblob(400) FROM n");
        CheckPages(pair);
        var kept = pair.Ship("UPDATE t SET a = randomblob(400) WHERE id % 3 = 0");
        CheckPages(pair);
        var images = PageImages.Read(pair.PrimaryPath);
        pair.Ship("UPDATE t SET a = randomblob(400) WHERE id % 2 = 0");
        CheckPages(pair);
        pair.Applier.DiscardAfter(kept);
        CheckPages(pair, images); // what was discarded is gone
        pair.Applier.Confirm(kept);
        CheckPages(pair, images);
        pair.ApplierConnection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        CheckPages(pair, images);
    }

    [Fact]
    public void An_earlier_transaction_is_confirmed_while_a_later_one_is_still_coming_in()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root, 512);
        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        var first = pair.Ship("CREATE TABLE t(a)");
        pair.Writer.Execute("INSERT INTO t VALUES (zeroblob(2000000))");
        Assert.True(pair.Capture.Capture(pair.Pages));
        pair.Applier.BeginTransaction(pair.Pages.DatabaseSizePages);
        for (var i = 0; i < pair.Pages.Count; i++)
        {
            pair.Applier.WritePage(pair.Pages.PageNumber(i), pair.Pages.Page(i));
            if (i == pair.Pages.Count / 2)
            {
                pair.Applier.Confirm(first);
                Assert.Equal(0, reader.QueryInteger("SELECT count(*) FROM t"));
                FileCopy.Take(pair.ReplicaPath, folder.File("copy.db"), withWal: true);
            }
        }

        pair.Applier.Confirm(pair.Applier.EndTransaction());
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(reader));
        Assert.Equal(2, PageImages.Read(folder.File("copy.db")).Length);
    }

    [Fact]
    public void A_reader_keeps_its_snapshot_over_confirmations()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        pair.Applier.Confirm(pair.Ship("CREATE TABLE t(a)"));
        reader.Execute("BEGIN");
        Assert.Equal(0, reader.QueryInteger("SELECT count(*) FROM t"));
        pair.Applier.Confirm(pair.Ship("INSERT INTO t VALUES (1)"));
        Assert.Equal(0, reader.QueryInteger("SELECT count(*) FROM t"));
        reader.Execute("COMMIT");
        Assert.Equal(1, reader.QueryInteger("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_statement_prepared_before_a_schema_change_sees_it_after()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        pair.Applier.Confirm(pair.Ship("CREATE TABLE t(a); INSERT INTO t VALUES (5)"));
        using var statement = reader.Prepare("SELECT * FROM t");
        Assert.True(statement.Step());
        statement.Reset();
        pair.Applier.Confirm(pair.Ship("ALTER TABLE t ADD COLUMN b DEFAULT 7"));
        Assert.True(statement.Step());
        Assert.Equal(7, statement.GetInteger(1));
    }

    [Fact]
    public void Nobody_else_can_write_while_frames_are_hidden_and_one_who_did_before_is_noticed()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        using var stranger = SqliteConnection.Open(pair.ReplicaPath);
        stranger.SetBusyTimeout(TimeSpan.Zero);
        var first = pair.Ship("CREATE TABLE t(a)");
        Assert.Equal(SqliteCodes.Busy, Assert.Throws<SqliteException>(() => stranger.Execute("CREATE TABLE mine(a)")).PrimaryCode);
        pair.Applier.Confirm(first);
        stranger.Execute("CREATE TABLE mine(a)");
        Assert.Contains("written by somebody else", Assert.Throws<InvalidDataException>(() => pair.Ship("INSERT INTO t VALUES (1)")).Message, StringComparison.Ordinal);
        stranger.Execute("DROP TABLE mine"); // the refusal left no lock behind
    }

    [Fact]
    public void What_cannot_be_is_refused_and_leaves_the_applier_usable()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        var applier = pair.Applier;
        var image = DatabaseFile.FirstPage(4096);
        Assert.Throws<InvalidOperationException>(() => applier.WritePage(1, image));
        Assert.Throws<InvalidOperationException>(() => applier.EndTransaction());
        Assert.Throws<ArgumentOutOfRangeException>(() => applier.BeginTransaction(0));
        applier.AbortTransaction();
        applier.BeginTransaction(300_000);
        Assert.Throws<InvalidOperationException>(() => applier.BeginTransaction(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => applier.WritePage(0, image));
        Assert.Throws<ArgumentOutOfRangeException>(() => applier.WritePage(300_001, image));
        Assert.Throws<ArgumentOutOfRangeException>(() => applier.WritePage(WalLayout.LockPage(4096), image));
        Assert.Throws<ArgumentException>(() => applier.WritePage(1, image.AsSpan(1)));
        applier.AbortTransaction();
        Assert.Throws<ArgumentOutOfRangeException>(() => applier.Confirm(1));
        applier.Confirm(pair.Ship("CREATE TABLE t(a)"));
        applier.Confirm(1); // again: marks may repeat
        Assert.Throws<ArgumentOutOfRangeException>(() => applier.DiscardAfter(0));
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(pair.ReplicaPath));
    }

    [Fact]
    public void A_transaction_without_pages_is_counted_and_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        pair.Applier.BeginTransaction(1);
        Assert.Equal(1, pair.Applier.EndTransaction());
        Assert.Equal(2, pair.Ship("CREATE TABLE t(a)"));
        pair.Applier.BeginTransaction(2);
        Assert.Equal(3, pair.Applier.EndTransaction());
        pair.Applier.Confirm(1);
        Assert.Single(PageImages.Read(pair.ReplicaPath));
        pair.Applier.Confirm(3);
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(pair.ReplicaPath));
        Assert.Equal(0, pair.Applier.HiddenTransactions);
    }

    [Fact]
    public void What_a_disposed_applier_left_hidden_is_gone_for_the_next_one()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        pair.Applier.Confirm(pair.Ship("CREATE TABLE t(a)"));
        _ = pair.Ship("INSERT INTO t VALUES (1)");
        pair.Applier.Dispose();
        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        Assert.Equal(0, reader.QueryInteger("SELECT count(*) FROM t"));
        using var next = WalIndexApplier.Open(pair.ApplierConnection);
        Assert.Equal(1, ReplicaPair.Append(next, pair.Pages));
        next.Confirm(1);
        PageImages.AssertEqual(PageImages.Read(pair.PrimaryPath), PageImages.Read(reader));
    }

    private static void CheckPages(ReplicaPair pair, byte[][]? wanted = null)
    {
        wanted ??= PageImages.Read(pair.PrimaryPath);
        var page = new byte[512];
        for (var i = 0; i < wanted.Length; i++)
        {
            pair.Applier.ReadPage((uint)i + 1, page);
            Assert.True(page.AsSpan().SequenceEqual(wanted[i]), $"page {i + 1} differs");
        }
    }
}
