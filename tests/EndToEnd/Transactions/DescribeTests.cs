using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

public sealed class DescribeTests
{
    private const string Name = "described";

    [Fact]
    public async Task A_statement_is_described_alike_on_every_copy()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync(Name);
        var written = await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT NOT NULL)");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var session = cluster.At(region, Name, written.Bookmark);
            var read = await session.DescribeAsync("SELECT v AS w, id + ? AS x FROM t WHERE id = :id; SELECT 2");
            Assert.True(read.ReadOnly);
            Assert.Equal(["", ":id"], read.Parameters);
            Assert.Equal(["w", "x"], read.Columns.Select(column => column.Name));
            Assert.Equal(("TEXT", "t", "v", true), (read.Columns[0].DeclaredType, read.Columns[0].OriginTable, read.Columns[0].OriginColumn, read.Columns[0].NotNull));
            Assert.Equal("SELECT v AS w, id + ? AS x FROM t WHERE id = :id;".Length, read.TailOffset);
            Assert.False((await session.DescribeAsync("INSERT INTO t (v) VALUES ('ä')")).ReadOnly);
            var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.DescribeAsync("SELECT nothing FROM t"));
            Assert.Equal(ErrorCodes.SqliteError, refused.Code);
            Assert.Equal(7, refused.SqlOffset);
            Assert.True(refused.Bookmark >= written.Bookmark);
        }

        Assert.Equal(0, await cluster.Database(0, Name).QueryScalarAsync<long>("SELECT count(*) FROM t"));
    }
}
