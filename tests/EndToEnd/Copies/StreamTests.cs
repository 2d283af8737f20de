using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Much data at once: long results, large values, large transactions.</summary>
public sealed class StreamTests
{
    private const int ManyRows = 100_000;

    [Fact]
    public async Task A_long_result_streams_from_every_region_while_slow_readers_hold_nobody_up()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("long");
        await cluster.Database(0, "long").ScriptAsync(
            $"CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ManyRows}) INSERT INTO t SELECT i, 'row ' || i || hex(zeroblob(40)) FROM n");
        var bookmark = await cluster.SettleAsync("long");
        var slow = new List<IAsyncEnumerator<Row>>();
        for (var i = 0; i < 6; i++)
        {
            var rows = cluster.At(i % 3, "long", bookmark).StreamAsync("SELECT id, x FROM t ORDER BY id").GetAsyncEnumerator();
            slow.Add(rows);
            Assert.True(await rows.MoveNextAsync()); // and then it takes its time
        }

        await cluster.Database(0, "long").ExecuteAsync("DELETE FROM t WHERE id % 2 = 0").InTimeAsync();
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var later = cluster.At(region, "long", await cluster.Client(region).Admin.GetBookmarkAsync("long"));
            Assert.Equal(ManyRows / 2, await later.QueryScalarAsync<long>("SELECT count(*) FROM t").InTimeAsync()); // the slow readers go on only below
            await ReadAllAsync(later, region, 2).InTimeAsync();
        }

        foreach (var rows in slow)
        {
            var expected = 1;
            do
            {
                Assert.Equal(expected++, rows.Current.GetInt64(0)); // still the state of its beginning
            }
            while (await rows.MoveNextAsync().AsTask().InTimeAsync());
            Assert.Equal(ManyRows + 1, expected);
            await rows.DisposeAsync();
        }
    }

    [Fact]
    public async Task Large_values_and_large_transactions_arrive_whole_everywhere()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(2).Admin.CreateDatabaseAsync("large");
        var session = cluster.Database(1, "large").WithSession(Session.FirstPrimary);
        await session.ExecuteAsync("CREATE TABLE b (id INTEGER PRIMARY KEY, x BLOB)");
        var blob = FileDamage.Garbage(random, 12 << 20);
        await session.ExecuteAsync("INSERT INTO b VALUES (0, ?)", [blob]);
        var parts = Enumerable.Range(1, 60).Select(i => (Id: i, Bytes: FileDamage.Garbage(random, random.Next(100_000, 250_000)))).ToList();
        await session.BatchAsync(parts.Select(part => new SqlStatement("INSERT INTO b VALUES (?, ?)", [part.Id, part.Bytes])));
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var read = cluster.At(region, "large", session.Bookmark!.Value);
            var found = 0;
            await foreach (var row in read.StreamAsync("SELECT id, x FROM b ORDER BY id"))
            {
                var expected = found == 0 ? blob : parts[found - 1].Bytes;
                Assert.Equal(found++, row.GetInt64(0));
                Assert.True(row.GetBytes(1).Span.SequenceEqual(expected));
            }

            Assert.Equal(parts.Count + 1, found);
        }

        // Larger than any window: made by SQL, so that it need not be sent.
        await session.ExecuteAsync("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO b (x) SELECT randomblob(100000) FROM n", null, new QueryOptions { SqlTimeout = TimeSpan.FromSeconds(20) });
        var sum = await session.QueryScalarAsync<string>("SELECT count(*) || ' ' || sum(length(x)) FROM b");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            Assert.Equal(sum, await cluster.At(region, "large", session.Bookmark!.Value).QueryScalarAsync<string>("SELECT count(*) || ' ' || sum(length(x)) FROM b"));
        }
    }

    private static async Task ReadAllAsync(Session session, int region, int step)
    {
        var (expected, messages) = (1L, 0);
        StreamDone? done = null;
        await foreach (var part in session.StreamBatchAsync(["SELECT id, x FROM t ORDER BY id"]))
        {
            done = part as StreamDone;
            if (part is not ResultRows { Rows: var rows })
            {
                continue;
            }

            messages++;
            foreach (var row in rows)
            {
                Assert.Equal(expected, row.GetInt64(0));
                expected += step;
            }
        }

        Assert.Equal(ManyRows + 1, expected);
        Assert.True(messages > 10, $"{messages} messages");
        Assert.Equal(region == ClusterFixture.Enam, done!.Served.Primary);
    }
}
