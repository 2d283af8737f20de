using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class PlainReadsTests
{
    [Theory]
    [InlineData("SELECT 1", true)]
    [InlineData("  select * FROM t WHERE x = ?;\n", true)]
    [InlineData("SELECT(1)", true)]
    [InlineData("SELECT", false)]
    [InlineData("SELECTED", false)]
    [InlineData("select_ ", false)]
    [InlineData("SELECT 1; DELETE FROM t", false)]
    [InlineData("SELECT ';'", false)] // not sure
    [InlineData("-- a comment\nSELECT 1", false)] // not sure
    [InlineData("WITH x AS (SELECT 1) DELETE FROM t", false)]
    [InlineData("INSERT INTO t SELECT 1", false)]
    [InlineData("", false)]
    public void Only_what_certainly_reads_is_a_read(string sql, bool reads) => Assert.Equal(reads, PlainReads.Are([new Statement { Sql = sql }]));

    [Fact]
    public void One_that_may_write_makes_the_request_one_and_none_is_no_read()
    {
        Assert.False(PlainReads.Are([new Statement { Sql = "SELECT 1" }, new Statement { Sql = "DELETE FROM t" }]));
        Assert.False(PlainReads.Are([]));
    }
}
