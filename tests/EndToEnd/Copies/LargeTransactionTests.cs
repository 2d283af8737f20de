using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A transaction that is larger than a message may be goes to followers and replicas in parts.</summary>
public sealed class LargeTransactionTests
{
    [Fact]
    public async Task A_transaction_of_a_hundred_megabytes_reaches_every_copy()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("d");
        var database = cluster.Database(0, "d");
        await database.ExecuteAsync("CREATE TABLE t (x)");
        await cluster.SettleAsync("d"); // the replicas are there, and follow
        await database.ExecuteAsync(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO t SELECT randomblob(1000000) FROM n",
            null);
        var bookmark = await cluster.Client(0).Admin.GetBookmarkAsync("d");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var answer = await cluster.At(region, "d", bookmark).ExecuteAsync(
                "SELECT sum(length(x)) FROM t", null, new() { WaitTimeout = TimeSpan.FromSeconds(60), OnWaitTimeout = OnWaitTimeout.Fail });
            Assert.Equal(100_000_000, answer.First.Rows[0].GetInt64(0));
            Assert.Equal(region == ClusterFixture.Enam, answer.Served.Primary);
        }

        cluster.Log.HasNoErrors();
    }
}
