using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.EndToEnd.FailoverSteps;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Followers' logs do not grow without end, whoever reads the database or does not.</summary>
public sealed class LogLengthTests
{
    private const long Bound = 200_000;

    [Theory]
    [InlineData(ReplicationMode.Disabled)]
    [InlineData(ReplicationMode.Auto)] // but nobody reads in the other regions
    public async Task The_log_of_a_database_that_is_only_written_is_trimmed(ReplicationMode replication)
    {
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with
            {
                LongLogBytes = Bound,
                Primary = node.Primary with { CheckpointBytes = 500_000, IdleCheckpoint = TimeSpan.FromMilliseconds(100) },
                Replica = node.Replica with { IdleCheckpoint = TimeSpan.FromMilliseconds(50) },
            },
        });
        var database = await cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync(Name);
        await UpdateAsync(cluster, replication);
        await ExecuteOnceAsync(cluster.Database(ClusterFixture.Enam, Name), "CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT NOT NULL)");
        for (var i = 0; i < 40; i++)
        {
            await ExecuteOnceAsync(cluster.Database(ClusterFixture.Enam, Name), "INSERT INTO t (key) VALUES (hex(randomblob(10000)))");
        }

        // The stretch between the primary's last two checkpoints stays, so something has to be written behind the long one.
        await Eventually.TrueAsync(
            async () =>
            {
                await WriteAsync(cluster, "more");
                return cluster.LogOf(ClusterFixture.Apac, database.Id).Bytes <= Bound;
            },
            "the log became short",
            TimeSpan.FromSeconds(1)); // a copy is checkpointed when nothing comes for a moment

        // Any of the followers can lead with what is left.
        foreach (var region in (string[])["weur", "apac", "enam"])
        {
            Assert.Equal(region, (await MoveAsync(cluster, region)).PrimaryRegion);
            Assert.Equal(40, await RetryAsync(() => cluster.Database(ClusterFixture.Enam, Name).QueryScalarAsync<long>("SELECT count(*) FROM t WHERE length(key) = 20000")));
        }
    }

    private static Task<Database> UpdateAsync(ClusterFixture cluster, ReplicationMode replication) => RetryAsync(() => cluster.Channel(ClusterFixture.Enam).CallAsync(
        AdminMethods.UpdateDatabase, new UpdateDatabaseRequest { Database = Name, Replication = replication }));
}
