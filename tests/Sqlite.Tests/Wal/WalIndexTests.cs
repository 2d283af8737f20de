namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>The WAL-index that the applier writes is the one that SQLite would have written, over several blocks.</summary>
public sealed class WalIndexTests
{
    private const int HeadersBytes = 136;
    private const int Frames = 4062 + 4096 + 200; // into the third block

    [Fact]
    public void Page_numbers_and_hash_tables_are_those_of_SQLite()
    {
        using var folder = new TemporaryFolder();
        using (var pair = new ReplicaPair(folder.Root, 512))
        {
            pair.Applier.Confirm(pair.Ship("CREATE TABLE t(id INTEGER PRIMARY KEY, n)"));
            pair.Applier.Confirm(pair.Ship($"INSERT INTO t SELECT value, 0 FROM {Series(200)}"));
            while (pair.Capture.WalSizeBytes < WalLayout.WalSizeBytes(Frames, 512))
            {
                _ = pair.Ship($"UPDATE t SET n = n + 1 WHERE id = {(pair.Capture.WalSizeBytes / 536 * 37 % 200) + 1}");
            }

            pair.Applier.Confirm(pair.Applier.HiddenTransactions + 2);
        }

        var expected = File.ReadAllBytes(WalFile.IndexPathOf(folder.File("primary.db")));
        var found = File.ReadAllBytes(WalFile.IndexPathOf(folder.File("replica.db")));
        Assert.Equal(3 * SqliteFileObject.BlockSizeBytes, found.Length);
        Assert.Equal(-1, FirstDifference(expected, found));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(4061)]
    [InlineData(4062)]
    [InlineData(4063)]
    [InlineData(8158)]
    public void Discarded_frames_leave_nothing_behind_in_any_block(int kept)
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root, 512);
        var page = DatabaseFile.FirstPage(512);
        var applier = pair.Applier;
        Append(applier, kept, page); // page 1, again and again, so that every lookup has to choose
        var last = Append(applier, Frames - kept, new byte[512]);
        applier.DiscardAfter(kept);
        Assert.Equal(kept, applier.HiddenTransactions);
        applier.Confirm(kept);
        page[99] = 77;
        Assert.Equal(kept + 1, Append(applier, 1, page));
        applier.Confirm(kept + 1);
        using var reader = SqliteConnection.Open(pair.ReplicaPath);
        PageImages.AssertEqual([page], PageImages.Read(reader));
        Assert.Equal(Frames, last);
    }

    private static long Append(WalIndexApplier applier, int transactions, byte[] image)
    {
        var last = 0L;
        for (var i = 0; i < transactions; i++)
        {
            applier.BeginTransaction(1);
            applier.WritePage(1, image);
            last = applier.EndTransaction();
        }

        return last;
    }

    private static string Series(int count) =>
        $"(WITH RECURSIVE n(value) AS (VALUES(1) UNION ALL SELECT value + 1 FROM n WHERE value < {count}) SELECT value FROM n)";

    private static int FirstDifference(byte[] expected, byte[] found)
    {
        var same = expected.AsSpan(HeadersBytes).CommonPrefixLength(found.AsSpan(HeadersBytes));
        return same + HeadersBytes == expected.Length && expected.Length == found.Length ? -1 : same + HeadersBytes;
    }
}
