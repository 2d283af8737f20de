namespace ReplicatedSqlite.EndToEnd;

/// <summary>A copy is closed while its folder takes no file, as on a full disk.</summary>
public sealed class LastCheckpointTests
{
    [Fact]
    public async Task A_replica_whose_last_checkpoint_fails_is_closed_all_the_same_and_can_be_opened_again()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var id = (await cluster.Client(0).Admin.CreateDatabaseAsync("d")).Id;
        await cluster.Database(0, "d").ScriptAsync("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
        await cluster.SettleAsync("d");

        // What the checkpoint writes first cannot be written.
        var inTheWay = Directory.CreateDirectory(cluster.ReplicaFile(id, ClusterFixture.Weur) + "-log.tmp");
        try
        {
            await cluster.Client(ClusterFixture.Weur).Admin.MovePrimaryAsync(new() { Database = "d", Region = "weur" });
        }
        catch (ReplicatedSqliteException refused)
        {
            Assert.NotEqual("INTERNAL", refused.Code); // it may lead only once the file can be written
        }

        inTheWay.Delete();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await cluster.Client(ClusterFixture.Weur).Admin.MovePrimaryAsync(new() { Database = "d", Region = "weur" });
                    var answer = await cluster.Database(ClusterFixture.Weur, "d").ExecuteAsync("INSERT INTO t VALUES (2) RETURNING (SELECT count(*) FROM t)");
                    return answer.Served.Region == "weur";
                }
                catch (ReplicatedSqliteException refused) when (refused.Code != "INTERNAL" && refused.IsTransient)
                {
                    return false;
                }
            },
            "weur leads");
    }
}
