using Microsoft.Extensions.Logging;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A database beyond 1 GiB, where SQLite leaves a page out: written, replicated, snapshotted, restored, forked.</summary>
public sealed class LockPageTests
{
    [Fact]
    public async Task A_database_beyond_the_lock_page_is_replicated_snapshotted_and_restored()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("RS_TEST_FULL") == "1", "It writes several GB: RS_TEST_FULL=1 runs it.");
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with { ColdStorage = node.ColdStorage! with { Upload = new UploadOptions { Every = TimeSpan.FromSeconds(1), MaxSegmentsPerSnapshot = 3, SnapshotBytesPerSecond = 1L << 30 }, BootAge = TimeSpan.Zero } },
        }, access: new ClusterAccess { LogFrom = LogLevel.Information });
        var admin = cluster.Client(0).Admin;
        await admin.CreateDatabaseAsync(new CreateDatabaseRequest
        {
            Name = "d", PrimaryRegion = "enam", ReplicaRegions = new RegionList { Regions = { "weur" } }, Options = new DatabaseOptions { PageSize = 65536 },
        });
        var database = cluster.Database(0, "d");
        await database.ExecuteAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)");
        for (var i = 0; i < 275; i++)
        {
            await database.ExecuteAsync("INSERT INTO t (b) VALUES (zeroblob(4000000))"); // pages of zeros: the file is large, the log is not
        }

        await database.ExecuteAsync("INSERT INTO t (b) VALUES (hex(randomblob(1000000)))");
        var described = await admin.GetDatabaseAsync("d");
        Assert.True(described.SizeBytes > (1L << 30) + (1 << 20), $"{described.SizeBytes} bytes");
        var bookmark = await admin.GetBookmarkAsync("d");
        const string Sum = "SELECT sum(length(b)) + count(*) FROM t";
        var sum = await database.QueryScalarAsync<long>(Sum);
        Assert.Equal(sum, await cluster.At(ClusterFixture.Weur, "d", bookmark).QueryScalarAsync<long>(Sum));

        // A snapshot of it, from which a replica is built that has nothing.
        var snapshots = Path.Combine(cluster.Folder, "cold", described.Id, "snap");
        var pages = Path.Combine(cluster.Folder, "cold", described.Id, "pages");
        await Eventually.TrueAsync(
            () => Directory.Exists(snapshots) && Directory.GetFiles(snapshots).Any(static file => new FileInfo(file).Length > 256 * 40), "a snapshot of more than 256 chunks of 4 MiB is there");
        Assert.True(Directory.GetFiles(pages).Length > 0);
        await admin.VerifyDatabaseAsync("d").InTimeAsync(TimeSpan.FromMinutes(10));
        await cluster.StopNodeAsync(ClusterFixture.Weur);
        Directory.Delete(Path.GetDirectoryName(cluster.ReplicaFile(described.Id, ClusterFixture.Weur))!, recursive: true);
        await cluster.StartNodeAsync(ClusterFixture.Weur);
        await Eventually.TrueAsync(
            async () => sum == await cluster.At(ClusterFixture.Weur, "d", bookmark).QueryScalarAsync<long>(Sum)
                && cluster.Log.Lines.Any(static line => line.Contains("was built from cold storage, at", StringComparison.Ordinal)),
            "the replica was built from cold storage");
        await database.ExecuteAsync("DELETE FROM t WHERE a = 276");
        await AgainAsync(async () =>
        {
            try
            {
                await admin.ForkAsync("d", "fork", bookmark).InTimeAsync(TimeSpan.FromMinutes(10));
            }
            catch (WriteOutcomeUnknownException e) when (e.Message.Contains("exists; its primary is not up yet", StringComparison.Ordinal))
            {
                // Three journals share a disk that has gigabytes to write: whoever asks brings it up.
            }

            return true;
        });
        Assert.Equal(sum, await AgainAsync(() => cluster.Database(0, "fork").QueryScalarAsync<long>(Sum)));
        Assert.Equal("ok", await cluster.Database(0, "fork").QueryScalarAsync<string>("PRAGMA quick_check"));
        var restored = await admin.RestoreAsync("d", bookmark).InTimeAsync(TimeSpan.FromMinutes(10));
        Assert.Equal(sum, await cluster.At(ClusterFixture.Weur, "d", Bookmark.Parse(restored.Bookmark)).QueryScalarAsync<long>(Sum));
    }

    // What was certainly not done, because the disk is busy.
    private static async Task<T> AgainAsync<T>(Func<Task<T>> call)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (UnavailableException) when (attempt < 20)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            }
        }
    }
}
