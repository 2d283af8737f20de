using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Whatever one client does with one database, memory stays within bounds and the other databases of the node answer.</summary>
public sealed class BoundsTests
{
    private const string Bad = "bad";
    private const string Good = "good";
    private const string Endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n";
    private const string ManyRows = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i, 'row ' || i, i * 0.5, x FROM n JOIN t ON t.id = 1";
    private const int WalLimit = 256 * 1024;
    private static readonly TimeSpan _maxPause = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Endless_queries_end_by_their_timeout_and_leave_the_other_databases_alone()
    {
        await using var cluster = await StartAsync();
        for (var region = 0; region < 2; region++) // the primary's node, and a replica's
        {
            var bad = cluster.Database(region, Bad).WithSession(Session.FirstUnconstrained);
            var timedOut = await Assert.ThrowsAsync<StatementTimeoutException>(
                () => bad.ExecuteAsync(Endless, null, new() { SqlTimeout = TimeSpan.FromMilliseconds(300) })).InTimeAsync();
            Assert.Equal(ErrorCodes.StatementTimeout, timedOut.Code);

            using var enough = new CancellationTokenSource();
            var endless = Enumerable.Range(0, 20).Select(_ => bad.ExecuteAsync(Endless, null, null, enough.Token)).ToList();
            endless.Add(cluster.Database(region, Bad).ExecuteAsync("INSERT INTO t (x) " + Endless, null, null, enough.Token));
            for (var i = 0; i < 20; i++)
            {
                await AnswersAsync(cluster, region);
            }

            // So none of those answers had to wait for one of these.
            Assert.All(endless, query => Assert.False(query.IsCompleted, $"It ended: {query.Exception?.InnerException?.Message}"));
            await enough.CancelAsync();
            foreach (var query in endless)
            {
                await Assert.ThrowsAnyAsync<Exception>(() => query).InTimeAsync();
            }

            // And the database itself is free again, its writer too.
            await cluster.Database(region, Bad).ExecuteAsync("INSERT INTO t (x) VALUES (1)").InTimeAsync();
        }

        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task Values_of_16_MB_pass_in_bounded_memory_and_larger_ones_are_refused()
    {
        await using var cluster = await StartAsync();
        var bad = cluster.Database(1, Bad);
        await bad.ExecuteAsync("INSERT INTO t (id, x) VALUES (7, zeroblob(16000000))").InTimeAsync();
        await cluster.SettleAsync(Bad);
        await using var memory = MemoryWatch.Start();
        for (var i = 0; i < Dose.Of(40, 400); i++)
        {
            await foreach (var row in cluster.Database(i % 3, Bad).WithSession(Session.FirstUnconstrained).StreamAsync("SELECT x FROM t WHERE id = 7"))
            {
                Assert.Equal(16_000_000, row.GetBytes(0).Length);
            }

            await AnswersAsync(cluster, i % 3);
            if (i % 5 == 4)
            {
                GC.Collect(); // how many the collector lets lie is its own affair
            }
        }

        memory.StayedBelow(1500); // 40 of them, in a few copies each, would be more
        memory.HoldsNoMoreThan(450); // the pools of buffers keep some
        var large = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => bad.QueryAsync("SELECT x FROM t WHERE id = 7"));
        Assert.Equal(ErrorCodes.ResultTooLarge, large.Code);
        Assert.Contains("Stream", large.Message, StringComparison.Ordinal);
        var tooLarge = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => bad.ExecuteAsync("INSERT INTO t (x) VALUES (zeroblob(17000000))"));
        Assert.Equal("SQLITE_TOOBIG", tooLarge.Code);
    }

    [Fact]
    public async Task Millions_of_rows_flow_in_bounded_memory()
    {
        await using var cluster = await StartAsync();
        var rows = Dose.Of(1_000_000, 10_000_000);
        for (var region = 0; region < 2; region++)
        {
            await using var memory = MemoryWatch.Start();
            long sum = 0;
            await foreach (var row in cluster.Database(region, Bad).WithSession(Session.FirstUnconstrained).StreamAsync(ManyRows, [rows]))
            {
                sum += row.GetInt64(0);
            }

            Assert.Equal((long)rows * (rows + 1) / 2, sum);
            memory.StayedBelow(200);
            var whole = await Assert.ThrowsAsync<ReplicatedSqliteException>(
                () => cluster.Database(region, Bad).WithSession(Session.FirstUnconstrained).QueryAsync(ManyRows, [rows])).InTimeAsync();
            Assert.Equal(ErrorCodes.ResultTooLarge, whole.Code);
            memory.StayedBelow(200);
        }
    }

    [Fact]
    public async Task Rows_of_a_write_that_would_not_fit_in_memory_are_refused_with_nothing_done()
    {
        await using var cluster = await StartAsync();
        await using var memory = MemoryWatch.Start();
        const string Sql = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 100000) INSERT INTO t (x) SELECT randomblob(1000) FROM n RETURNING x";
        var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(async () => await CountAsync(cluster.Database(1, Bad).StreamAsync(Sql))).InTimeAsync();
        Assert.Equal(ErrorCodes.ResultTooLarge, refused.Code);
        Assert.Equal(CommitState.NotCommitted, refused.CommitState);
        Assert.Equal(1, await cluster.Database(0, Bad).QueryScalarAsync<long>("SELECT count(*) FROM t"));
        memory.StayedBelow(400);
    }

    [Fact]
    public async Task Clients_that_stop_reading_hold_neither_memory_nor_the_log_of_writes()
    {
        await using var cluster = await StartAsync();
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync(Bad)).Id;
        await using var memory = MemoryWatch.Start();
        var stuck = new List<IAsyncEnumerator<EncodedResponse>>();
        for (var i = 0; i < 6; i++)
        {
            var request = new StreamRequest { Database = Bad, Statements = { new Statement { Sql = ManyRows } }, Read = new ReadOptions { Session = Session.FirstUnconstrained } };
            request.Statements[0].Positional.Add(new Value { Integer = long.MaxValue });
            var parts = cluster.Channel(i % 2).OpenServerStream(QueryMethods.EncodedStream, request).GetAsyncEnumerator();
            Assert.True(await parts.MoveNextAsync().AsTask().InTimeAsync());
            stuck.Add(parts);
        }

        string[] logs = [cluster.PrimaryFile(id) + "-wal", cluster.ReplicaFile(id, 1) + "-wal"];
        var most = new long[logs.Length];
        await Eventually.TrueAsync(async () =>
        {
            await cluster.Database(0, Bad).ExecuteAsync("INSERT INTO t (x) VALUES (randomblob(20000))").InTimeAsync();
            await AnswersAsync(cluster, 1);
            var lengths = logs.Select(log => new FileInfo(log).Length).ToArray();
            most = [.. most.Zip(lengths, Math.Max)];
            // While the snapshots are held the WALs grow; when they are let go the WALs begin anew.
            return most.Zip(lengths).All(log => log.First > WalLimit && log.Second < log.First / 2);
        }, "the WALs are restarted although six clients have stopped reading");
        memory.StayedBelow(250);

        foreach (var parts in stuck)
        {
            var told = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (await parts.MoveNextAsync())
                {
                    // What was on its way comes first.
                }
            }).InTimeAsync();
            Assert.Equal(ErrorCodes.StatementTimeout, told.FindDetail<SqlError>()?.Code);
            await parts.DisposeAsync();
        }

        cluster.Log.HasNoErrors();
    }

    /// <summary>The other database answers a short read, a long one, a stream and a write.</summary>
    private static async Task AnswersAsync(ClusterFixture cluster, int region)
    {
        var good = cluster.Database(region, Good);
        var near = good.WithSession(Session.FirstUnconstrained);
        Assert.Equal(1, await near.QueryScalarAsync<long>("SELECT min(id) FROM t").InTimeAsync());
        Assert.Equal(20_000, await near.QueryScalarAsync<long>("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT count(*) FROM n").InTimeAsync());
        Assert.Equal(3000, await CountAsync(near.StreamAsync("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT i FROM n")).InTimeAsync());
        await good.ExecuteAsync("UPDATE t SET x = x + 1").InTimeAsync();
    }

    private static async Task<int> CountAsync(IAsyncEnumerable<Row> rows)
    {
        var count = 0;
        await foreach (var _ in rows)
        {
            count++;
        }

        return count;
    }

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with
            {
                Primary = node.Primary with { CheckpointBytes = WalLimit / 2, RestartWalBytes = WalLimit, Readers = node.Primary.Readers with { MaxPause = _maxPause } },
                Replica = node.Replica with { CheckpointBytes = WalLimit / 2, RestartWalBytes = WalLimit, Readers = node.Replica.Readers with { MaxPause = _maxPause } },
            },
        });
        foreach (var name in new[] { Bad, Good })
        {
            await cluster.Client(0).Admin.CreateDatabaseAsync(name);
            await cluster.Database(0, name).ScriptAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t (x) VALUES (0)");
            await cluster.SettleAsync(name);
        }

        return cluster;
    }
}
