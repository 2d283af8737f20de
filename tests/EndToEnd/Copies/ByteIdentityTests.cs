using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>At the same position every copy is, page by page, what the primary is.</summary>
public sealed class ByteIdentityTests
{
    private const int HeldRows = 1500;
    private const long SmallBytes = 256 << 10;
    private const long SmallRestartBytes = 4 << 20; // beyond four times this all writes would wait for the held reads

    [Fact]
    public async Task Copies_are_byte_identical_through_schema_changes_failures_VACUUM_and_restarts_of_the_WAL_under_a_long_read()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with
            {
                Primary = node.Primary with { CheckpointBytes = SmallBytes, RestartWalBytes = SmallRestartBytes, IdleCheckpoint = TimeSpan.FromMilliseconds(200) },
                Replica = node.Replica with { CheckpointBytes = SmallBytes, RestartWalBytes = SmallRestartBytes, IdleCheckpoint = TimeSpan.FromMilliseconds(200) },
            },
        });
        var id = (await cluster.Client(0).Admin.CreateDatabaseAsync("bytes")).Id;
        string[] copies = [cluster.ReplicaFile(id, ClusterFixture.Weur), cluster.ReplicaFile(id, ClusterFixture.Apac)];
        await cluster.Database(0, "bytes").ScriptAsync(
            $"CREATE TABLE held (id INTEGER PRIMARY KEY, x BLOB); CREATE VIRTUAL TABLE words USING fts5 (word); " +
            $"INSERT INTO held SELECT value, randomblob(2000) FROM (WITH RECURSIVE n (value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < {HeldRows}) SELECT value FROM n)");
        var workload = new RandomWorkload(random);
        var (restarts, walBytes) = (0, 0L);
        for (var round = 0; round < Dose.Of(16, 200); round++)
        {
            var bookmark = await cluster.SettleAsync("bytes");
            var held = new List<HeldRead>();
            for (var region = 0; region < ClusterFixture.RegionCount && round % 2 == 0; region++) // without them in between, so that a WAL gets its restart
            {
                held.Add(await HeldRead.BeginAsync(cluster.At(region, "bytes", bookmark)));
            }

            for (var i = 0; i < 12; i++)
            {
                await workload.StepAsync(cluster.Database(random.Next(ClusterFixture.RegionCount), "bytes"));
                foreach (var read in held)
                {
                    await read.ReadOnAsync(HeldRows / 30);
                }
            }

            await cluster.SettleAsync("bytes");
            Array.ForEach(copies, copy => CopyPages.AreEqual(cluster.PrimaryFile(id), copy, $"round {round}"));
            foreach (var read in held)
            {
                await read.CheckAsync(HeldRows);
            }

            var before = walBytes;
            walBytes = copies.Sum(copy => new FileInfo(copy + "-wal").Length);
            restarts += walBytes < before ? 1 : 0;
        }

        Assert.True(restarts > 0, "No replica's WAL was restarted: too little was written.");
        Assert.True(workload.Failed > 0, "No transaction failed: the failing ones were not tried.");
        var last = await cluster.SettleAsync("bytes");
        await cluster.StopAsync();
        var primary = await File.ReadAllBytesAsync(cluster.PrimaryFile(id));
        foreach (var copy in copies)
        {
            Assert.Equal(await File.ReadAllBytesAsync(cluster.PrimaryFile(id) + "-sidecar"), await File.ReadAllBytesAsync(copy + "-sidecar"));
            var bytes = await File.ReadAllBytesAsync(copy);
            Assert.True(primary.AsSpan().SequenceEqual(bytes), $"After a clean stop {copy} is another file than the primary's.");
        }

        await cluster.StartAgainAsync();
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            Assert.Equal("ok", await cluster.At(region, "bytes", last).QueryScalarAsync<string>("PRAGMA integrity_check"));
        }

        cluster.Log.HasNoErrors();
    }

    /// <summary>A read that is open while others write: in the end it has seen one state, and that is the one of its beginning.</summary>
    private sealed class HeldRead(IAsyncEnumerator<Row> rows, long expected)
    {
        private long _sum;
        private long _count;
        private bool _ended;

        public static async Task<HeldRead> BeginAsync(Session session)
        {
            const string Checksum = "SELECT sum(id * (unicode(hex(substr(x, 1, 1))) + length(x) + unicode(substr(hex(substr(x, 2, 1)), 2)))) FROM held";
            var expected = await session.QueryScalarAsync<long>(Checksum);
            var rows = session.StreamAsync(
                "SELECT id * (unicode(hex(substr(x, 1, 1))) + length(x) + unicode(substr(hex(substr(x, 2, 1)), 2))), x FROM held", null, new QueryOptions { BatchRows = 10 }).GetAsyncEnumerator();
            var read = new HeldRead(rows, expected);
            await read.ReadOnAsync(1);
            return read;
        }

        public async Task ReadOnAsync(int count)
        {
            while (!_ended && count-- > 0)
            {
                if (!await rows.MoveNextAsync())
                {
                    _ended = true;
                    return;
                }

                _sum += rows.Current.GetInt64(0);
                _count++;
            }
        }

        public async Task CheckAsync(int count)
        {
            await ReadOnAsync(int.MaxValue);
            await rows.DisposeAsync();
            Assert.Equal((count, expected), (_count, _sum));
        }
    }
}
