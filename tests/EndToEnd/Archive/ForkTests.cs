using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Databases that begin as another was, and go their own way.</summary>
public sealed class ForkTests
{
    [Fact]
    public async Task A_fork_begins_as_its_parent_was_and_neither_changes_the_other()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var admin = cluster.Client(ClusterFixture.Weur).Admin;
        await admin.CreateDatabaseAsync("parent", "enam");
        var parent = cluster.Database(ClusterFixture.Apac, "parent");
        await parent.ScriptAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t (b) SELECT hex(randomblob(100)) FROM json_each('[1,2,3,4,5,6,7,8,9]')");
        var early = await admin.GetBookmarkAsync("parent");
        var earlySum = await SumAsync(cluster, "parent");
        await parent.ExecuteAsync("INSERT INTO t (b) VALUES ('later')");
        var laterSum = await SumAsync(cluster, "parent");

        var fork = await admin.ForkAsync("parent", "fork", early).InTimeAsync();
        Assert.Equal("enam", fork.PrimaryRegion);
        var now = await admin.ForkAsync("parent", "now").InTimeAsync();
        Assert.NotEqual(fork.Id, now.Id);
        Assert.Equal(earlySum, await SumAsync(cluster, "fork"));
        Assert.Equal(laterSum, await SumAsync(cluster, "now"));

        await cluster.Database(ClusterFixture.Weur, "fork").ExecuteAsync("DELETE FROM t WHERE a < 5");
        await parent.ExecuteAsync("UPDATE t SET b = 'parent'");
        Assert.Equal(laterSum, await SumAsync(cluster, "now"));
        var forked = await SumAsync(cluster, "fork");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            Assert.Equal(forked, await cluster.At(region, "fork", await cluster.SettleAsync("fork")).QueryScalarAsync<long>(Sum));
        }

        // A fork of the fork, also of a state before it left its parent; and back in time within the fork.
        var bookmark = await admin.GetBookmarkAsync("fork");
        await admin.ForkAsync("fork", "again", bookmark).InTimeAsync();
        Assert.Equal(forked, await SumAsync(cluster, "again"));
        await cluster.Database(0, "fork").ExecuteAsync("DELETE FROM t");
        await admin.RestoreAsync("fork", bookmark).InTimeAsync();
        Assert.Equal(forked, await SumAsync(cluster, "fork"));

        // The parent goes; what its forks need of it stays.
        await admin.DeleteDatabaseAsync("parent").InTimeAsync();
        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        Assert.Equal(forked, await SumAsync(cluster, "again"));
        Assert.Equal("ok", await cluster.Database(0, "again").QueryScalarAsync<string>("PRAGMA integrity_check"));
        var proof = await cluster.Client(0).Admin.VerifyDatabaseAsync("again").InTimeAsync();
        Assert.True(proof.Entries > 0);
    }

    [Fact]
    public async Task A_fork_answers_before_its_file_is_on_the_disk_and_one_that_never_got_there_is_built_again()
    {
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with { Primary = node.Primary with { IdleCheckpoint = TimeSpan.FromHours(1) } },
        });
        var admin = cluster.Client(0).Admin;
        await admin.CreateDatabaseAsync("parent", "enam");
        await cluster.Database(0, "parent").ScriptAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t (b) SELECT hex(randomblob(1000)) FROM json_each('[1,2,3,4,5,6,7,8,9]')");
        var fork = await admin.ForkAsync("parent", "fork").InTimeAsync();
        var file = cluster.PrimaryFile(fork.Id);
        Assert.Equal(await SumAsync(cluster, "parent"), await SumAsync(cluster, "fork"));
        await cluster.Database(0, "fork").ExecuteAsync("INSERT INTO t (b) VALUES ('written')");
        var sum = await SumAsync(cluster, "fork");
        Assert.False(File.Exists(file + "-sidecar"), "nobody vouches for a file that may not be on the disk");
        await cluster.StopAsync();
        Assert.True(File.Exists(file + "-sidecar"));

        // As a power cut leaves it: no sidecar, and of the file anything.
        foreach (var copy in Enumerable.Range(0, ClusterFixture.RegionCount).Select(region => cluster.PrimaryFile(fork.Id, region)).Where(File.Exists))
        {
            File.Delete(copy + "-sidecar");
            File.Delete(copy + "-wal");
            await File.WriteAllBytesAsync(copy, new byte[5 * 4096]);
        }

        await cluster.StartAgainAsync();
        Assert.Equal(sum, await SumAsync(cluster, "fork"));
        Assert.Equal("ok", await cluster.Database(0, "fork").QueryScalarAsync<string>("PRAGMA integrity_check"));
    }

    [Fact]
    public async Task What_cannot_be_forked_is_refused_and_leaves_nothing()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var admin = cluster.Client(0).Admin;
        await admin.CreateDatabaseAsync("parent");
        await admin.CreateDatabaseAsync("other");
        await cluster.Database(0, "parent").ExecuteAsync("CREATE TABLE t (a)");
        var bookmark = await admin.GetBookmarkAsync("parent");
        await Assert.ThrowsAsync<FutureBookmarkException>(() => admin.ForkAsync("parent", "fork", bookmark with { Sequence = bookmark.Sequence + 100 }));
        await Assert.ThrowsAsync<ForeignBookmarkException>(async () => await admin.ForkAsync("parent", "fork", await admin.GetBookmarkAsync("other")));
        var taken = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => admin.ForkAsync("parent", "other"));
        Assert.Equal(ErrorCodes.DatabaseExists, taken.Code);
        var names = new List<string>();
        await foreach (var database in admin.ListDatabasesAsync())
        {
            names.Add(database.Name);
        }

        Assert.Equal(["other", "parent"], names);
    }

    private const string Sum = "SELECT coalesce(sum(a * 31 + length(b) * 7 + instr(b, 'AB')), 0) + count(*) FROM t";

    private static Task<long> SumAsync(ClusterFixture cluster, string database) => cluster.Database(0, database).QueryScalarAsync<long>(Sum);
}
