using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Interactive transactions that only read, on every copy.</summary>
public sealed class ReadOnlyTransactionTests
{
    private const string Name = "snapshots";

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Weur)]
    public async Task One_snapshot_is_seen_while_writers_go_on(int region)
    {
        await using var cluster = await StartAsync();
        var session = cluster.At(region, Name, await cluster.SettleAsync(Name));
        await using var transaction = await session.BeginTransactionAsync(new() { ReadOnly = true });
        Assert.Equal(region == 0, transaction.Served.Primary);
        Assert.Equal(cluster.Node(region).Region, transaction.Served.Region);
        for (var i = 0; i < 20; i++)
        {
            var written = await cluster.Database(0, Name).ExecuteAsync("INSERT INTO t VALUES (NULL)").InTimeAsync();
            Assert.Equal(i + 1, await cluster.At(region, Name, written.Bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t").InTimeAsync());
            Assert.Equal(0, await transaction.QueryScalarAsync<long>("SELECT count(*) FROM t"));
        }

        Assert.Equal(transaction.Begun, await transaction.CommitAsync());
        Assert.Equal(20, await session.QueryScalarAsync<long>("SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Apac)]
    public async Task It_begins_at_or_after_the_sessions_bookmark(int region)
    {
        await using var cluster = await StartAsync();
        for (var i = 1; i <= 10; i++)
        {
            var written = await cluster.Database(1, Name).ExecuteAsync("INSERT INTO t VALUES (NULL)");
            await using var transaction = await cluster.At(region, Name, written.Bookmark).BeginTransactionAsync(new() { ReadOnly = true });
            Assert.True(transaction.Begun >= written.Bookmark);
            Assert.Equal(i, await transaction.QueryScalarAsync<long>("SELECT count(*) FROM t"));
        }
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Weur)]
    public async Task What_writes_is_refused_and_the_snapshot_stays(int region)
    {
        await using var cluster = await StartAsync();
        await using var transaction = await cluster.At(region, Name, await cluster.SettleAsync(Name)).BeginTransactionAsync(new() { ReadOnly = true });
        var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.ExecuteAsync("INSERT INTO t VALUES (1)"));
        Assert.Equal(ErrorCodes.InvalidRequest, refused.Code);
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.ExecuteAsync("SELECT nothing FROM nowhere"));
        Assert.False(transaction.IsEnded);
        Assert.Equal(0, await transaction.QueryScalarAsync<long>("SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Weur)]
    public async Task Its_snapshot_does_not_outlive_its_lease(int region)
    {
        await using var cluster = await StartAsync();
        var read = new ReadOptions { Session = (await cluster.SettleAsync(Name)).ToString() };
        await using var transaction = await RawTransaction.BeginAsync(
            cluster.Channel(region),
            new() { Database = Name, ReadOnly = true, Read = read, IdleTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMilliseconds(200)) });
        var told = await transaction.NextAsync();
        Assert.Equal(ErrorCodes.TransactionExpired, told!.Failed.Error.Code);
        Assert.Null(await transaction.NextAsync());
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Weur)]
    public async Task Many_of_them_leave_connections_for_other_reads(int region)
    {
        await using var cluster = await StartAsync();
        var bookmark = await cluster.SettleAsync(Name);
        var open = Enumerable.Range(0, 20).Select(_ => cluster.At(region, Name, bookmark).BeginTransactionAsync(new() { ReadOnly = true })).ToList();
        await Eventually.TrueAsync(() => open.Count(task => task.IsCompleted) >= 4, "some of them have begun");
        Assert.Equal(0, await cluster.At(region, Name, bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t").InTimeAsync());
        while (open.Count > 0)
        {
            var next = await Task.WhenAny(open).InTimeAsync();
            open.Remove(next);
            await (await next).DisposeAsync(); // and the next one begins
        }
    }

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync(Name);
        await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY)");
        return cluster;
    }
}
