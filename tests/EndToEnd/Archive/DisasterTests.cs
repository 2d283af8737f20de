using Microsoft.Extensions.Logging;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The drills of docs/operations.md: disks that are gone, databases that were deleted, proofs. The commands are the document's.</summary>
public sealed class DisasterTests
{
    [Fact]
    public async Task A_cluster_whose_disks_are_all_gone_comes_back_from_cold_storage_under_its_names()
    {
        await using var cluster = await StartAsync();
        var (bookmark, sum) = await FillAsync(cluster, "shop");
        await cluster.Client(0).Admin.CreateDatabaseAsync("renamed");
        await FillAsync(cluster, "renamed");
        await cluster.Client(0).Admin.UpdateDatabaseAsync(new UpdateDatabaseRequest { Database = "renamed", NewName = "books" });
        await cluster.Client(0).Admin.CreateDatabaseAsync("gone");
        await FillAsync(cluster, "gone");
        await cluster.Client(0).Admin.DeleteDatabaseAsync("gone").InTimeAsync();
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync("shop")).Id;
        await StoredAsync(cluster, "shop", "books");
        await cluster.StopAsync();
        foreach (var folder in Directory.GetDirectories(cluster.Folder).Where(static folder => Path.GetFileName(folder) != "cold"))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (var file in Directory.GetFiles(cluster.Folder))
        {
            File.Delete(file);
        }

        await cluster.StartAgainAsync();
        var (code, output, errors) = await RsqlAsync(cluster, "recover", "--all", "--accept-loss");
        Assert.True(code == 0, errors);
        Assert.Contains("shop (", output, StringComparison.Ordinal);
        Assert.Contains("books (", output, StringComparison.Ordinal);
        Assert.DoesNotContain("gone", output, StringComparison.Ordinal);
        Assert.Equal(id, (await cluster.Client(0).Admin.GetDatabaseAsync("shop")).Id);
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            Assert.Equal(sum, await cluster.At(region, "shop", bookmark).QueryScalarAsync<long>(Sum)); // bookmarks of before are good
        }

        await cluster.Database(0, "shop").ExecuteAsync("INSERT INTO t (b) VALUES ('after')");
        Assert.Equal("ok", await cluster.Database(0, "shop").QueryScalarAsync<string>("PRAGMA integrity_check"));
        Assert.NotEqual(0, (await RsqlAsync(cluster, "recover", "shop", "--accept-loss")).Code); // it is there: nothing need be lost
        Assert.Equal(sum, await cluster.At(0, "books", Bookmark.Start).QueryScalarAsync<long>(Sum));
        Assert.Equal(0, (await RsqlAsync(cluster, "verify", "shop")).Code);

        // And once more: what was written since counts as well.
        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        Assert.Equal(1L, await cluster.Database(2, "shop").QueryScalarAsync<long>("SELECT count(*) FROM t WHERE b = 'after'"));
    }

    [Fact]
    public async Task A_quorum_of_lost_disks_is_got_over_with_what_the_last_follower_has()
    {
        await using var cluster = await StartAsync();
        await FillAsync(cluster, "shop");
        await StoredAsync(cluster, "shop");
        await cluster.StopAsync();
        foreach (var region in new[] { "weur", "apac" })
        {
            Directory.Delete(Path.Combine(cluster.Folder, region), recursive: true);
        }

        await cluster.StartAgainAsync();
        await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Database(0, "shop").ExecuteAsync("INSERT INTO t (b) VALUES ('no quorum')"));
        var (code, _, errors) = await RsqlAsync(cluster, "recover", "shop");
        Assert.NotEqual(0, code); // only who says so accepts a loss
        Assert.Contains("--accept-loss", errors, StringComparison.Ordinal);
        (code, _, errors) = await RsqlAsync(cluster, "recover", "shop", "--accept-loss");
        Assert.True(code == 0, errors);
        await cluster.Database(1, "shop").ExecuteAsync("INSERT INTO t (b) VALUES ('after')");
        Assert.Equal(1L, await cluster.Database(2, "shop").QueryScalarAsync<long>("SELECT count(*) FROM t WHERE b = 'after'"));
        Assert.Equal("ok", await cluster.Database(0, "shop").QueryScalarAsync<string>("PRAGMA integrity_check"));
    }

    [Fact]
    public async Task A_deleted_database_comes_back_with_all_that_was_confirmed()
    {
        await using var cluster = await StartAsync();
        var (_, sum) = await FillAsync(cluster, "shop");
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync("shop")).Id;
        await cluster.Client(2).Admin.DeleteDatabaseAsync("shop").InTimeAsync();
        var (_, listed, _) = await RsqlAsync(cluster, "stored");
        Assert.Contains("deleted", listed, StringComparison.Ordinal);
        var (code, output, errors) = await RsqlAsync(cluster, "undelete", id);
        Assert.True(code == 0, errors);
        Assert.DoesNotContain(id, output, StringComparison.Ordinal); // an id is never used twice
        Assert.Equal(sum, await cluster.Database(1, "shop").QueryScalarAsync<long>(Sum));
        await cluster.Database(1, "shop").ExecuteAsync("INSERT INTO t (b) VALUES ('after')");
        Assert.NotEqual(0, (await RsqlAsync(cluster, "undelete", id)).Code); // its name is taken
    }

    [Fact]
    public async Task A_primary_whose_files_are_gone_builds_them_from_cold_storage()
    {
        await using var cluster = await StartAsync(replicated: false);
        var (_, sum) = await FillAsync(cluster, "shop");
        await StoredAsync(cluster, "shop");
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync("shop")).Id;
        await cluster.StopAsync();
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var copy = Path.GetDirectoryName(cluster.PrimaryFile(id, region))!;
            if (Directory.Exists(copy))
            {
                Directory.Delete(copy, recursive: true);
            }
        }

        await cluster.StartAgainAsync();
        Assert.Equal(sum, await cluster.Database(1, "shop").QueryScalarAsync<long>(Sum));
    }

    [Fact]
    public async Task A_replica_whose_files_are_gone_is_built_from_cold_storage_and_goes_on_with_the_log()
    {
        await using var cluster = await StartAsync();
        var (bookmark, sum) = await FillAsync(cluster, "shop");
        await cluster.SettleAsync("shop");
        await StoredAsync(cluster, "shop");
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync("shop")).Id;
        await cluster.StopAsync();
        Directory.Delete(Path.GetDirectoryName(cluster.ReplicaFile(id, ClusterFixture.Apac))!, recursive: true);
        await cluster.StartAgainAsync();
        Assert.Equal(sum, await cluster.At(ClusterFixture.Apac, "shop", bookmark).QueryScalarAsync<long>(Sum));
        await cluster.Database(0, "shop").ExecuteAsync("INSERT INTO t (b) VALUES ('after')");
        await cluster.SettleAsync("shop");
        await Eventually.TrueAsync(() => cluster.Log.Lines.Any(static line => line.Contains("was built from cold storage, at", StringComparison.Ordinal)), "the replica was built from cold storage");
        CopyPages.AreEqual(cluster.PrimaryFile(id), cluster.ReplicaFile(id, ClusterFixture.Apac), "apac");
    }

    [Fact]
    public async Task A_damaged_object_is_named_by_verify()
    {
        await using var cluster = await StartAsync();
        await FillAsync(cluster, "shop");
        await StoredAsync(cluster, "shop");
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync("shop")).Id;
        Assert.Equal(0, (await RsqlAsync(cluster, "verify", "shop")).Code);
        var segment = Directory.GetFiles(Path.Combine(cluster.Folder, "cold", id, "log")).Order().First();
        var bytes = await File.ReadAllBytesAsync(segment);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes);
        var (code, _, errors) = await RsqlAsync(cluster, "verify", "shop");
        Assert.NotEqual(0, code);
        Assert.Contains(Path.GetFileName(segment), errors.ReplaceLineEndings(""), StringComparison.Ordinal);
    }

    private const string Sum = "SELECT coalesce(sum(a * 31 + length(b) * 7 + instr(b, 'AB')), 0) + count(*) FROM t";

    private static async Task<ClusterFixture> StartAsync(bool replicated = true)
    {
        var cluster = await ClusterFixture.StartAsync(
            options => options with
            {
                Configure = node => node with
                {
                    ColdStorage = node.ColdStorage! with
                    {
                        Upload = new UploadOptions { Every = TimeSpan.FromMilliseconds(100), LeastSnapshotBytes = 20_000, ChunkBytes = 16 << 10 }, BootBytes = 1, BootAge = TimeSpan.Zero,
                    },
                },
            },
            access: new ClusterAccess { LogFrom = LogLevel.Information });
        await cluster.Client(0).Admin.CreateDatabaseAsync(new CreateDatabaseRequest { Name = "shop", PrimaryRegion = "enam", Replication = replicated ? ReplicationMode.Auto : ReplicationMode.Disabled });
        return cluster;
    }

    private static async Task<(Bookmark Bookmark, long Sum)> FillAsync(ClusterFixture cluster, string name)
    {
        var database = cluster.Database(0, name);
        await database.ExecuteAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)");
        for (var i = 0; i < 30; i++)
        {
            await database.ExecuteAsync("INSERT INTO t (b) SELECT hex(zeroblob(400)) || value FROM json_each('[1,2,3,4,5]')");
        }

        return (await cluster.Client(0).Admin.GetBookmarkAsync(name), await database.QueryScalarAsync<long>(Sum));
    }

    // Asking for the bookmark of a moment waits for everything confirmed to be in cold storage.
    private static async Task StoredAsync(ClusterFixture cluster, params string[] names)
    {
        foreach (var name in names)
        {
            await cluster.Client(0).Admin.GetBookmarkAsync(name, TimeProvider.System.GetUtcNow());
        }
    }

    private static Task<(int Code, string Output, string Errors)> RsqlAsync(ClusterFixture cluster, params string[] arguments) =>
        RsqlProcess.RunAsync(["--server", cluster.Node(0).GrpcAddress.ToString(), .. arguments]);
}
