namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>A database that grows through 1 GiB: the page that holds SQLite's lock bytes is never captured, shipped or read.</summary>
public sealed class LockPageTests
{
    [Fact(Explicit = true)] // writes 4 GiB: only in the long form
    public void A_database_grows_through_one_GiB_and_stays_equal()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root, 65536);
        var lockPage = WalLayout.LockPage(65536);
        pair.Applier.Confirm(pair.Ship("PRAGMA cache_size=100; CREATE TABLE t(a)"));
        for (var last = 0u; last <= lockPage + 100;)
        {
            pair.Applier.Confirm(pair.Ship("INSERT INTO t SELECT zeroblob(15000000) FROM (SELECT 1 UNION ALL SELECT 2)"));
            for (var i = 0; i < pair.Pages.Count; i++)
            {
                Assert.NotEqual(lockPage, pair.Pages.PageNumber(i));
            }

            last = pair.Pages.DatabaseSizePages;
            pair.Writer.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
            pair.ApplierConnection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        Assert.Equal("ok", reader.QueryText("PRAGMA integrity_check"));
        using var primary = SnapshotReader.Open(pair.PrimaryPath);
        using var replica = SnapshotReader.Open(pair.ReplicaPath);
        while (primary.MoveNext())
        {
            Assert.True(replica.MoveNext());
            Assert.Equal(primary.PageNumber, replica.PageNumber);
            Assert.NotEqual(lockPage, replica.PageNumber);
            Assert.True(primary.Image.SequenceEqual(replica.Image));
        }

        Assert.False(replica.MoveNext());
    }
}
