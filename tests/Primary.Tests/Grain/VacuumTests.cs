namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A VACUUM copies the whole file in one commit. Who reads meanwhile reads the state before it.</summary>
public sealed class VacuumTests
{
    [Fact]
    public async Task Reads_go_on_while_a_VACUUM_runs_and_sessions_go_on_behind_it()
    {
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { IdleCheckpoint = TimeSpan.FromHours(1) });
        await primary.WriteAsync("CREATE TABLE t (x, y)");
        await primary.WriteAsync("CREATE INDEX i ON t (y, x)"); // to make the VACUUM slow
        await primary.WriteAsync("INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000) SELECT x, randomblob(100) FROM c");
        await primary.WriteAsync("DELETE FROM t WHERE x > 50000");
        var between = 0;
        for (var round = 0; round < 20 && between < 3; round++)
        {
            var before = await primary.WriteAsync("UPDATE t SET x = x WHERE x = 1");
            var vacuum = primary.WriteAsync("VACUUM");
            while (!vacuum.IsCompleted)
            {
                var answer = await primary.RunAsync("SELECT count(*) FROM t");
                Assert.Equal(50000, answer.Results[0].Rows.Columns[0].Integers[0]);
                between += !vacuum.IsCompleted && answer.Bookmark == before.ToString() ? 1 : 0;
            }

            var after = await vacuum;
            Assert.True(after > before);
            Assert.Equal(after.ToString(), (await primary.RunAsync("SELECT count(*) FROM t", after.ToString())).Bookmark);
            Assert.Equal(after.ToString(), (await primary.RunAsync("SELECT count(*) FROM t")).Bookmark);
        }

        Assert.True(between >= 3, "No read was answered while a VACUUM ran.");
        Assert.Equal("ok", (await primary.RunAsync("PRAGMA integrity_check")).Results[0].Rows.Columns[0].Texts[0]);
    }
}
