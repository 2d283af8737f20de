using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A database goes back in time, in place, and everything that was ever confirmed is in cold storage.</summary>
public sealed class TimeTravelTests
{
    private const string Name = "d";

    [Fact]
    public async Task A_restore_brings_a_database_back_on_every_copy_and_restoring_the_bookmark_before_undoes_it()
    {
        await using var cluster = await StartAsync();
        var database = cluster.Database(ClusterFixture.Weur, Name);
        await database.ScriptAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE VIRTUAL TABLE words USING fts5 (word)");
        for (var i = 0; i < 20; i++)
        {
            await database.ExecuteAsync("INSERT INTO t (b) VALUES (hex(randomblob(300)))");
        }

        await database.ExecuteAsync("INSERT INTO words VALUES ('kept')");
        var kept = await SumAsync(cluster, await cluster.SettleAsync(Name));
        var good = await cluster.Client(0).Admin.GetBookmarkAsync(Name);
        await database.ScriptAsync("DELETE FROM t WHERE a > 5; UPDATE t SET b = 'wrong'; INSERT INTO words VALUES ('wrong'); CREATE TABLE more (x); DROP TABLE words");
        var wrong = await SumAsync(cluster, await cluster.SettleAsync(Name));
        Assert.NotEqual(kept, wrong);

        var restored = await cluster.Client(ClusterFixture.Apac).Admin.RestoreAsync(Name, good).InTimeAsync();
        Assert.Equal(good.ToString(), restored.RestoredTo);
        var bookmark = Bookmark.Parse(restored.Bookmark);
        Assert.True(bookmark > good);
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            Assert.Equal(kept, await SumAsync(cluster, bookmark, region));
            Assert.Equal("kept", await cluster.At(region, Name, bookmark).QueryScalarAsync<string>("SELECT word FROM words WHERE words MATCH 'kept'"));
            var gone = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.At(region, Name, bookmark).QueryAsync("SELECT * FROM more"));
            Assert.Contains("no such table", gone.Message, StringComparison.Ordinal);
        }

        await CopiesAreEqualAsync(cluster);
        await database.ExecuteAsync("INSERT INTO t (b) VALUES ('after')"); // life goes on
        Assert.Equal("ok", await cluster.Database(0, Name).QueryScalarAsync<string>("PRAGMA integrity_check"));

        await cluster.Client(0).Admin.RestoreAsync(Name, Bookmark.Parse(restored.PreviousBookmark)).InTimeAsync();
        Assert.Equal(wrong, await SumAsync(cluster, await cluster.SettleAsync(Name)));

        // Bookmarks of before stay good, whichever state they lie in.
        await cluster.Client(0).Admin.RestoreAsync(Name, good).InTimeAsync();
        Assert.Equal(kept, await SumAsync(cluster, await cluster.SettleAsync(Name)));
        Assert.Equal("ok", await cluster.Database(0, Name).QueryScalarAsync<string>("PRAGMA integrity_check"));
        await CopiesAreEqualAsync(cluster);
    }

    [Fact]
    public async Task A_moment_gives_the_bookmark_that_was_current_then()
    {
        await using var cluster = await StartAsync();
        var database = cluster.Database(ClusterFixture.Weur, Name);
        var before = TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(1);
        await database.ExecuteAsync("CREATE TABLE t (a)");
        var moments = new List<(DateTimeOffset At, Bookmark Bookmark)>();
        for (var i = 0; i < 5; i++)
        {
            await database.ExecuteAsync($"INSERT INTO t VALUES ({i})");
            moments.Add((TimeProvider.System.GetUtcNow(), await cluster.Client(0).Admin.GetBookmarkAsync(Name)));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        foreach (var (at, bookmark) in moments)
        {
            Assert.Equal(bookmark, await cluster.Client(ClusterFixture.Apac).Admin.GetBookmarkAsync(Name, at));
        }

        await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Client(0).Admin.GetBookmarkAsync(Name, before));
    }

    [Fact]
    public async Task Wrong_bookmarks_are_refused_and_nothing_is_changed()
    {
        await using var cluster = await StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("other");
        var database = cluster.Database(ClusterFixture.Weur, Name);
        await database.ExecuteAsync("CREATE TABLE t (a)");
        var bookmark = await cluster.Client(0).Admin.GetBookmarkAsync(Name);
        await Assert.ThrowsAsync<ForeignBookmarkException>(async () => await cluster.Client(0).Admin.RestoreAsync(Name, await cluster.Client(0).Admin.GetBookmarkAsync("other")));
        await Assert.ThrowsAsync<FutureBookmarkException>(() => cluster.Client(0).Admin.RestoreAsync(Name, bookmark with { Sequence = bookmark.Sequence + 1000 }));
        Assert.Equal(bookmark, await cluster.Client(0).Admin.GetBookmarkAsync(Name));
    }

    [Fact]
    public async Task Cold_storage_holds_every_state_of_a_database_that_is_written_all_the_time()
    {
        // Snapshots as often as can be, so that they are taken while pages are checkpointed under them.
        await using var cluster = await StartAsync(new UploadOptions
        {
            Every = TimeSpan.FromMilliseconds(50), LeastSnapshotBytes = 1, ChunkBytes = 16 << 10, SnapshotBytesPerSecond = 4 << 20, Compress = true,
        });
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync(Name)).Id;
        var session = cluster.Database(ClusterFixture.Enam, Name).WithSession(Session.FirstPrimary);
        await session.ExecuteAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)");
        var random = new Random(7);
        var states = new List<(Bookmark Bookmark, long Sum)>();
        var snapshots = Path.Combine(cluster.Folder, "cold", id, "snap");
        while (states.Count < 150 || (Count(snapshots) < 3 && states.Count < 5000)) // however long that takes
        {
            var (low, size) = (random.Next(400), random.Next(3000));
            await session.ExecuteAsync(random.Next(3) switch
            {
                0 => $"INSERT OR REPLACE INTO t VALUES ({low}, randomblob({size}))",
                1 => $"DELETE FROM t WHERE a BETWEEN {low} AND {low + 3}",
                _ => $"INSERT OR REPLACE INTO t SELECT value, randomblob({size}) FROM json_each('[{string.Join(',', Enumerable.Range(low, 20))}]')",
            });
            states.Add((session.Bookmark!.Value, await SumAsync(session)));
        }

        await cluster.Client(0).Admin.GetBookmarkAsync(Name, TimeProvider.System.GetUtcNow()); // waits for what is confirmed to be there
        Assert.True(Count(snapshots) >= 3, $"{Count(snapshots)} snapshots were taken: too few to try what this is about");
        using var folder = new TemporaryFolder();
        await using var store = new FolderStore(Path.Combine(cluster.Folder, "cold"), TimeProvider.System);
        var restorer = new ColdRestorer(store, new ColdRestoreOptions());
        foreach (var (bookmark, sum) in random.GetItems(states.ToArray(), 30).Append(states[^1])) // a slow machine writes many before there are three snapshots
        {
            var path = Path.Combine(folder.Path, "restored.sqlite");
            var restored = await restorer.RestoreAsync(new DatabaseId(Guid.Parse(id)), path, bookmark, TestContext.Current.CancellationToken);
            Assert.Equal((bookmark.Epoch, bookmark.Sequence), (restored.Position.Epoch, restored.Position.Sequence));
            Assert.Equal(sum, SumOf(path));
            LocalFile.Remove(path);
        }
    }

    private static int Count(string folder) => Directory.Exists(folder) ? Directory.GetFiles(folder, "*.snap").Length : 0;

    private static long SumOf(string path)
    {
        using var connection = SqliteConnection.Open(path);
        Assert.Equal("ok", connection.QueryText("PRAGMA integrity_check"));
        return connection.QueryInteger(Sum);
    }

    private const string Sum = "SELECT coalesce(sum(a * 31 + length(b) * 7 + instr(hex(b), 'AB')), 0) + count(*) FROM t";

    private static Task<long> SumAsync(ClusterFixture cluster, Bookmark bookmark, int region = 0) => SumAsync(cluster.At(region, Name, bookmark));

    private static Task<long> SumAsync(Session session) => session.QueryScalarAsync<long>(Sum);

    private static async Task CopiesAreEqualAsync(ClusterFixture cluster)
    {
        await cluster.SettleAsync(Name);
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync(Name)).Id;
        for (var region = 1; region < ClusterFixture.RegionCount; region++)
        {
            CopyPages.AreEqual(cluster.PrimaryFile(id), cluster.ReplicaFile(id, region), $"region {region}");
        }
    }

    private static async Task<ClusterFixture> StartAsync(UploadOptions? upload = null)
    {
        var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with { ColdStorage = node.ColdStorage! with { Upload = upload ?? node.ColdStorage.Upload } },
        });
        await cluster.Client(0).Admin.CreateDatabaseAsync(Name, "enam");
        return cluster;
    }
}
