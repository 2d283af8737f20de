using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Databases come, go, sleep, and come back.</summary>
public sealed class ManyDatabasesTests
{
    [Fact]
    public async Task Fifty_databases_live_beside_each_other()
    {
        const int Databases = 50;
        await using var cluster = await ClusterFixture.StartAsync();
        var bookmarks = await Task.WhenAll(Enumerable.Range(0, Databases).Select(async i =>
        {
            await cluster.Client(i % 3).Admin.CreateDatabaseAsync($"db{i}");
            var session = cluster.Database((i + 1) % 3, $"db{i}").WithSession(Session.FirstPrimary);
            await session.ExecuteAsync("CREATE TABLE t (x)");
            await Task.WhenAll(Enumerable.Range(0, 10).Select(n => session.ExecuteAsync("INSERT INTO t VALUES (?)", [i * 100 + n])));
            return session.Bookmark!.Value;
        })).InTimeAsync(TimeSpan.FromSeconds(60));
        await CheckAsync();
        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        await CheckAsync();
        Assert.Equal(Databases, await cluster.Client(2).Admin.ListDatabasesAsync("db").CountAsync());
        cluster.Log.HasNoErrors();

        Task CheckAsync() => Task.WhenAll(Enumerable.Range(0, Databases * 3).Select(async n =>
        {
            var (i, region) = (n / 3, n % 3);
            var sum = await cluster.At(region, $"db{i}", bookmarks[i]).QueryScalarAsync<string>("SELECT count(*) || ' ' || sum(x) FROM t");
            Assert.Equal($"10 {i * 1000 + 45}", sum);
        })).InTimeAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_deleted_database_leaves_nothing_anywhere_and_its_name_is_free()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var old = await cluster.Client(1).Admin.CreateDatabaseAsync("d");
        await cluster.Database(0, "d").ExecuteAsync("CREATE TABLE t (x)");
        var bookmark = await cluster.SettleAsync("d");
        Assert.NotEmpty(FilesOf(cluster, old.Id));
        var held = cluster.At(0, "d", bookmark).StreamAsync("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n").GetAsyncEnumerator();
        Assert.True(await held.MoveNextAsync());

        await cluster.Client(2).Admin.DeleteDatabaseAsync("d").InTimeAsync(); // a reader elsewhere does not hold it up
        await held.DisposeAsync();
        await Eventually.TrueAsync(() => FilesOf(cluster, old.Id).Count == 0, "the files of the deleted database go in all regions");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            foreach (var name in (string[])["d", old.Id])
            {
                var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.At(region, name, bookmark).QueryAsync("SELECT 1"));
                Assert.Equal(ErrorCodes.DatabaseNotFound, failure.Code);
            }
        }

        var fresh = await cluster.Client(0).Admin.CreateDatabaseAsync("d");
        Assert.NotEqual(old.Id, fresh.Id);
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            await Assert.ThrowsAsync<ForeignBookmarkException>(() => cluster.At(region, "d", bookmark).QueryAsync("SELECT 1"));
            var session = cluster.Database(region, "d").WithSession(Session.FirstPrimary);
            Assert.Equal(region, await session.QueryScalarAsync<long>("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'mine%'"));
            await session.ExecuteAsync($"CREATE TABLE mine{region} (x)");
        }

        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        Assert.Empty(FilesOf(cluster, old.Id));
        await cluster.SettleAsync("d");
    }

    [Fact]
    public async Task Idle_databases_are_let_go_and_come_back_with_everything()
    {
        await using var cluster = await ClusterFixture.StartAsync(options => options with { Configure = node => node with { GrainIdle = TimeSpan.FromMilliseconds(300) } });
        await cluster.Client(0).Admin.CreateDatabaseAsync("idle");
        var session = cluster.Database(0, "idle").WithSession(Session.FirstPrimary);
        await session.ExecuteAsync("CREATE TABLE t (x)");
        for (var round = 1; round <= 3; round++)
        {
            await session.ExecuteAsync("INSERT INTO t VALUES (?)", [round]);
            var before = session.Bookmark!.Value;
            await Eventually.TrueAsync(
                async () => (await cluster.Client(0).Admin.GetTopologyAsync("idle")).Copies.Count == 0,
                "all copies of an idle database are let go",
                TimeSpan.FromSeconds(1)); // to ask for a copy's state counts as use
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                var read = cluster.At((region + round) % 3, "idle", before);
                Assert.Equal(round, await read.QueryScalarAsync<long>("SELECT count(*) FROM t").InTimeAsync());
                Assert.True(read.Bookmark >= before);
            }
        }

        cluster.Log.HasNoErrors();
    }

    // Cold storage keeps it for the time of grace, to bring it back.
    private static List<string> FilesOf(ClusterFixture cluster, string id) =>
        [.. Directory.EnumerateFileSystemEntries(cluster.Folder, "*", SearchOption.AllDirectories)
            .Where(path => path.Contains(id, StringComparison.OrdinalIgnoreCase) && !path.StartsWith(Path.Combine(cluster.Folder, "cold"), StringComparison.Ordinal))];
}
