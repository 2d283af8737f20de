using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary.Tests;

public class GroupBookmarkTests
{
    [Fact]
    public async Task Each_write_of_a_group_has_its_own_sequence_in_the_order_of_the_queue()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        await primary.WriteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x UNIQUE)");
        for (var round = 0; round < 20; round++)
        {
            var first = round * 100;
            var writes = Enumerable.Range(first, 40).Select(i => primary.Execute($"INSERT INTO t (x) VALUES ({i}) RETURNING id")).ToList();
            var failing = primary.Execute("INSERT INTO t (x) VALUES (0)");
            var bookmarks = new List<(long Row, Bookmark Bookmark)>();
            foreach (var write in writes)
            {
                var answer = await write.WaitAsync(PrimaryFixture.Patience);
                bookmarks.Add((answer.Results[0].Rows.Columns[0].Integers[0], Bookmark.Parse(answer.Bookmark)));
            }

            Assert.Equal("SQLITE_CONSTRAINT_UNIQUE", (await PrimaryFixture.RefusedAsync(failing)).Error.Code);
            bookmarks.Sort();
            Assert.Equal(40, bookmarks.Select(bookmark => bookmark.Bookmark.Sequence).Distinct().Count());
            Assert.Equal(bookmarks.Select(bookmark => bookmark.Bookmark), bookmarks.Select(bookmark => bookmark.Bookmark).Order());
            Assert.Equal(39u, bookmarks[^1].Bookmark.Sequence - bookmarks[0].Bookmark.Sequence);
        }
    }

    [Fact]
    public async Task Writes_that_change_no_row_take_no_sequence_and_carry_what_they_read()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        var created = await primary.WriteAsync("CREATE TABLE t (x)");
        for (var round = 0; round < 20; round++)
        {
            var writes = Enumerable.Range(0, 20).Select(_ => primary.Execute("UPDATE t SET x = 1")).ToList();
            foreach (var write in writes)
            {
                Assert.Equal(created, Bookmark.Parse((await write.WaitAsync(PrimaryFixture.Patience)).Bookmark));
            }
        }

        Assert.True(await primary.WriteAsync("INSERT INTO t VALUES (1)") > created);
    }

    [Fact]
    public async Task A_bookmark_is_good_here_unless_it_is_made_up()
    {
        await using var primary = await PrimaryFixture.StartAsync();
        var written = await primary.WriteAsync("CREATE TABLE t (x)");
        await primary.RunAsync("SELECT 1", written.ToString());
        var future = written with { Sequence = written.Sequence + 1 };
        Assert.Equal(ErrorCodes.BookmarkFuture, (await PrimaryFixture.RefusedAsync(primary.Execute("SELECT 1", future.ToString()))).Error.Code);
        await primary.RestartAsync();
        await primary.RunAsync("SELECT 1", written.ToString());
        Assert.Equal(ErrorCodes.BookmarkAbandoned, (await PrimaryFixture.RefusedAsync(primary.Execute("SELECT 1", (future with { Sequence = 99 }).ToString()))).Error.Code);
    }
}
