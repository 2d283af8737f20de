using ReplicatedSqlite.Node;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Reads of exactly a state that is over, at any node.</summary>
public sealed class AsOfTests
{
    [Fact]
    public async Task A_read_as_of_a_bookmark_sees_exactly_that_state_at_every_node()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("d", "enam");
        var database = cluster.Database(ClusterFixture.Weur, "d");
        await database.ExecuteAsync("CREATE TABLE t (a)");
        var bookmarks = new List<Bookmark>();
        for (var i = 1; i <= 5; i++)
        {
            await database.ExecuteAsync($"INSERT INTO t VALUES ({i})");
            bookmarks.Add(await cluster.Client(0).Admin.GetBookmarkAsync("d"));
        }

        var moment = TimeProvider.System.GetUtcNow();
        await database.ExecuteAsync("DROP TABLE t");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            for (var i = 0; i < bookmarks.Count; i++)
            {
                Assert.Equal(i + 1L, await CountAsync(cluster, region, bookmarks[i]));
            }
        }

        // In the shell, by bookmark and by time.
        var (code, output, errors) = await RsqlProcess.RunAsync("--server", cluster.Node(1).GrpcAddress.ToString(), "d", "--mode", "csv", "--no-headers", "--as-of", bookmarks[2].ToString(), "SELECT count(*) FROM t", ".tables");
        Assert.True(code == 0, errors);
        Assert.Equal(["3", "t"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        (code, output, errors) = await RsqlProcess.RunAsync("--server", cluster.Node(1).GrpcAddress.ToString(), "d", "--mode", "csv", "--no-headers", "--as-of", moment.ToString("O"), "SELECT count(*) FROM t");
        Assert.True(code == 0, errors);
        Assert.Equal("5", output.Trim());
        (code, _, errors) = await RsqlProcess.RunAsync("--server", cluster.Node(1).GrpcAddress.ToString(), "d", "--as-of", bookmarks[2].ToString(), "DELETE FROM t");
        Assert.NotEqual(0, code);
        Assert.Contains("Nothing was done", errors, StringComparison.Ordinal);
        (code, _, errors) = await RsqlProcess.RunAsync("--server", cluster.Node(1).GrpcAddress.ToString(), "d", "--as-of", "yesterday", "SELECT 1");
        Assert.Equal(2, code);
        Assert.Contains("a bookmark, or a moment", errors, StringComparison.Ordinal);

        // In a stream and in a description too; the answer's bookmark is the state's.
        var session = cluster.Database(1, "d").WithSession(Session.FirstUnconstrained);
        var answer = await session.QueryAsync("SELECT a FROM t ORDER BY a", null, AsOf(bookmarks[2]));
        Assert.Equal(3, answer.Rows.Count);
        var writes = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Database(1, "d").ExecuteAsync("INSERT INTO t VALUES (9)", null, AsOf(bookmarks[2])));
        Assert.Equal(ErrorCodes.InvalidRequest, writes.Code);
        await Assert.ThrowsAsync<FutureBookmarkException>(() => CountAsync(cluster, 2, bookmarks[^1] with { Sequence = bookmarks[^1].Sequence + 100 }));
        await cluster.Client(0).Admin.CreateDatabaseAsync("other");
        var foreign = await cluster.Client(0).Admin.GetBookmarkAsync("other");
        await Assert.ThrowsAsync<ForeignBookmarkException>(() => CountAsync(cluster, 1, foreign));
    }

    [Fact]
    public async Task No_more_copies_of_the_past_are_kept_than_there_may_be()
    {
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with { ColdStorage = node.ColdStorage! with { Past = new PastCopyOptions { MaxCopies = 2 } } },
        });
        await cluster.Client(0).Admin.CreateDatabaseAsync("d", "enam");
        var database = cluster.Database(0, "d");
        await database.ExecuteAsync("CREATE TABLE t (a)");
        for (var i = 1; i <= 5; i++)
        {
            await database.ExecuteAsync($"INSERT INTO t VALUES ({i})");
            Assert.Equal((long)i, await CountAsync(cluster, 0, await cluster.Client(0).Admin.GetBookmarkAsync("d")));
            var files = Directory.GetFiles(Path.Combine(cluster.Folder, "enam", "scratch", "past"), "*.sqlite");
            Assert.True(files.Length <= 2, string.Join(", ", files));
        }
    }

    private static QueryOptions AsOf(Bookmark bookmark) => new() { AsOf = bookmark };

    private static Task<long> CountAsync(ClusterFixture cluster, int region, Bookmark bookmark) =>
        cluster.Database(region, "d").QueryScalarAsync<long>("SELECT count(*) FROM t", null, AsOf(bookmark));
}
