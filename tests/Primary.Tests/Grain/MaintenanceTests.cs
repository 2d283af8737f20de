using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary.Tests;

public class MaintenanceTests
{
    [Fact]
    public async Task The_WAL_is_restarted_when_it_is_too_long()
    {
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { CheckpointBytes = 50_000, RestartWalBytes = 100_000 });
        await primary.WriteAsync("CREATE TABLE t (x)");
        for (var i = 0; i < 100; i++)
        {
            await primary.WriteAsync("INSERT INTO t VALUES (randomblob(10000))");
            await primary.RunAsync("SELECT count(*) FROM t");
        }

        Assert.True(new FileInfo(primary.File + "-wal").Length < 600_000);
        Assert.Equal(100, await primary.NumberAsync("SELECT count(*) FROM t"));
        Assert.True(new FileInfo(primary.File).Length > 500_000);
    }

    [Fact]
    public async Task An_old_reader_stops_a_checkpoint_but_neither_the_writes_nor_the_processor()
    {
        await using var primary = await PrimaryFixture.StartAsync(
            new PrimaryOptions { CheckpointBytes = 50_000, RestartWalBytes = 100_000_000, IdleCheckpoint = TimeSpan.FromMilliseconds(100) });
        await primary.WriteAsync("CREATE TABLE t (x)");
        using (var reader = SqliteConnection.Open(primary.File))
        {
            reader.Execute("BEGIN");
            reader.QueryInteger("SELECT count(*) FROM t");
            for (var i = 0; i < 30; i++)
            {
                await primary.WriteAsync("INSERT INTO t VALUES (randomblob(10000))");
            }

            await Task.Delay(300);
            var state = LogStateFile.PathOf(primary.File);
            var changes = 0;
            var last = File.GetLastWriteTimeUtc(state);
            for (var i = 0; i < 100; i++)
            {
                await Task.Delay(5);
                var now = File.GetLastWriteTimeUtc(state);
                changes += now == last ? 0 : 1;
                last = now;
            }

            Assert.InRange(changes, 1, 30); // it tries again, about every 100 ms, and rests in between
            reader.Execute("COMMIT");
        }

        await PrimaryFixture.UntilAsync(() => new FileInfo(primary.File).Length > 300_000, "the rest is in the main file");
        Assert.Equal(30, await primary.NumberAsync("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task An_idle_database_waits_for_its_turn_to_checkpoint_and_one_that_stops_or_whose_WAL_is_long_does_not()
    {
        var idle = TimeSpan.FromMilliseconds(20);
        await using var primary = await PrimaryFixture.StartAsync(new PrimaryOptions { CheckpointBytes = 200_000, IdleCheckpoint = idle });
        await primary.WriteAsync("CREATE TABLE t (x)");
        IDisposable? others = null;
        await PrimaryFixture.UntilAsync(() => (others = primary.IdleCheckpoints.TryBegin()) != null, "it is another database's turn");
        await primary.WriteAsync("INSERT INTO t VALUES (randomblob(100000))");
        var written = TimeProvider.System.GetTimestamp();
        await PrimaryFixture.UntilAsync(() => TimeProvider.System.GetElapsedTime(written) > 10 * idle, "the idle time has passed ten times");
        Assert.True(new FileInfo(primary.File).Length < 100_000);
        await primary.WriteAsync("INSERT INTO t VALUES (randomblob(150000))");
        await PrimaryFixture.UntilAsync(() => new FileInfo(primary.File).Length > 250_000, "a long WAL is in the main file");
        await primary.WriteAsync("INSERT INTO t VALUES (randomblob(100000))");
        await primary.DeactivateAsync();
        Assert.True(new FileInfo(primary.File).Length > 350_000);
        await primary.ActivateAsync();
        await primary.WriteAsync("INSERT INTO t VALUES (randomblob(100000))");
        others!.Dispose();
        await PrimaryFixture.UntilAsync(() => new FileInfo(primary.File).Length > 450_000, "its turn has come");
    }
}
