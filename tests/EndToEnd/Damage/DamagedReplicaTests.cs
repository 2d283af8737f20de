namespace ReplicatedSqlite.EndToEnd;

/// <summary>A replica's files that were damaged while the cluster was stopped: it never answers wrongly, and builds itself again from a snapshot.</summary>
public sealed class DamagedReplicaTests
{
    private const string Sum = "SELECT count(*) || ' ' || sum(x) FROM t";

    [Theory]
    [InlineData("-sidecar", "flip")]
    [InlineData("-sidecar", "cut")]
    [InlineData("-sidecar", "missing")]
    [InlineData("", "missing")]
    [InlineData("", "empty")]
    [InlineData("", "cut")]
    [InlineData("", "header")]
    [InlineData("", "pages")]
    public async Task A_damaged_replica_heals_and_never_answers_wrongly(string suffix, string damage)
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var id = await DamagedFileTests.CreateAsync(cluster, "d");
        var bookmark = await cluster.SettleAsync("d");
        await cluster.StopAsync();
        var path = cluster.ReplicaFile(id, ClusterFixture.Apac) + suffix;
        DamagedFileTests.Damage(path, damage, new FileInfo(path).Length);

        await cluster.StartAgainAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    var session = cluster.At(ClusterFixture.Apac, "d", bookmark);
                    var answer = await session.ExecuteAsync(Sum);
                    Assert.Equal("200 20100", answer.First.Rows[0].GetString(0));
                    return !answer.Served.Primary && await session.QueryScalarAsync<string>("PRAGMA integrity_check") == "ok";
                }
                catch (ReplicatedSqliteException e)
                {
                    Assert.True(e.Code is "SQLITE_CORRUPT" or "SQLITE_NOTADB" || e.IsTransient, $"{e.Code}: {e.Message}");
                    return false;
                }
            },
            $"the replica whose file{suffix} was damaged ({damage}) answers by itself again");
        await cluster.Database(0, "d").ExecuteAsync("UPDATE t SET x = x + 1");
        var later = await cluster.SettleAsync("d");
        await DamagedFileTests.EveryRegionShowsAsync(cluster, "d", later, "200 20300");
    }
}
