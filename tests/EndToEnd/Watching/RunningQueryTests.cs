using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd.Watching;

public sealed class RunningQueryTests
{
    private const string Endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c WHERE x = 'secret'";
    private const string EndlessShown = "WITH RECURSIVE c(x)AS(SELECT?UNION ALL SELECT x+?FROM c)SELECT count(*)FROM c WHERE x=?;";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ClusterFixture.Enam, false)]
    [InlineData(ClusterFixture.Weur, false)] // a replica
    [InlineData(ClusterFixture.Enam, true)]
    [InlineData(ClusterFixture.Weur, true)]
    public async Task A_running_statement_is_listed_without_values_and_ends_when_it_is_killed(int region, bool streamed)
    {
        await using var cluster = await StartAsync();
        var session = cluster.Client(region).Database("shop").WithSession();
        await session.ExecuteAsync("SELECT 1", cancellationToken: Cancellation);
        var running = streamed ? ReadAsync(session) : session.ExecuteAsync(Endless, cancellationToken: Cancellation);

        var query = await FoundAsync(cluster, query => query.State == QueryState.Running);

        Assert.Equal((cluster.Node(region).Id, "shop", streamed ? "Stream" : "Execute", EndlessShown), (query.NodeId, query.Database, query.Method, query.Sql));
        Assert.True((await cluster.Client(ClusterFixture.Apac).Admin.KillQueryAsync(query.Id, Cancellation)).Interrupted); // any node will do
        await IsKilledAsync(running);
        await NothingRunsAsync(cluster);
    }

    [Fact]
    public async Task A_write_that_is_passed_on_has_one_id_and_is_killed_where_it_runs()
    {
        await using var cluster = await StartAsync();
        var running = cluster.Client(ClusterFixture.Apac).Database("shop").ExecuteAsync("INSERT INTO t " + Endless, cancellationToken: Cancellation);

        var there = await FoundAsync(cluster, query => query.State == QueryState.Running);
        var here = await FoundAsync(cluster, query => query.State == QueryState.Forwarded);

        Assert.Equal(there.Id, here.Id);
        Assert.Equal((cluster.Node(ClusterFixture.Enam).Id, cluster.Node(ClusterFixture.Apac).Id), (there.NodeId, here.NodeId));
        Assert.True((await cluster.Client(ClusterFixture.Weur).Admin.KillQueryAsync(there.Id, Cancellation)).Interrupted);
        var failure = await IsKilledAsync(running);
        Assert.Equal("NotCommitted", failure.CommitState.ToString());
        Assert.Equal(0, await cluster.Client(ClusterFixture.Enam).Database("shop").QueryScalarAsync<long>("SELECT count(*) FROM t", cancellationToken: Cancellation));
        await NothingRunsAsync(cluster);
    }

    [Fact]
    public async Task An_export_is_listed_while_it_is_sent_and_ends_with_its_call_alone()
    {
        await using var cluster = await StartAsync();
        await cluster.Client(ClusterFixture.Enam).Database("shop").ExecuteAsync(
            "INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 4) SELECT zeroblob(10000000) FROM c", cancellationToken: Cancellation); // more than is sent ahead
        var export = cluster.Channel(ClusterFixture.Enam).OpenServerStream(AdminMethods.Export, new ExportRequest { Database = "shop", Format = ExportFormat.Sqlite }, cancellationToken: Cancellation);
        await using (export)
        {
            var chunks = export.GetAsyncEnumerator(Cancellation);
            Assert.True(await chunks.MoveNextAsync());
            var shown = await FoundAsync(cluster, query => query.Method == "Export");
            Assert.Equal((cluster.Node(ClusterFixture.Enam).Id, "shop", QueryState.Running), (shown.NodeId, shown.Database, shown.State));
            var answer = await cluster.Client(ClusterFixture.Apac).Admin.KillQueryAsync(shown.Id, Cancellation);
            Assert.False(answer.Interrupted);
            Assert.Contains("ends with the call", answer.Reason, StringComparison.Ordinal);
            Assert.True(await chunks.MoveNextAsync());
        }

        await NothingRunsAsync(cluster);
    }

    [Fact]
    public async Task A_transaction_that_idles_is_killed_and_a_write_that_waits_for_it_goes_on()
    {
        await using var cluster = await StartAsync();
        var database = cluster.Client(ClusterFixture.Enam).Database("shop");
        await using var transaction = await database.BeginTransactionAsync(cancellationToken: Cancellation);
        await transaction.ExecuteAsync("INSERT INTO t VALUES (1)", cancellationToken: Cancellation);
        var idle = await FoundAsync(cluster, query => query.State == QueryState.Idle);
        Assert.Equal(("Transact", "INSERT INTO t VALUES(?);"), (idle.Method, idle.Sql));
        var write = database.ExecuteAsync("INSERT INTO t VALUES (2)", cancellationToken: Cancellation);
        await FoundAsync(cluster, query => query.State == QueryState.Queued);

        Assert.True((await cluster.Client(ClusterFixture.Enam).Admin.KillQueryAsync(idle.Id, Cancellation)).Interrupted);

        await write;
        await IsKilledAsync(transaction.ExecuteAsync("SELECT 1", cancellationToken: Cancellation));
        Assert.Equal(2, await database.QueryScalarAsync<long>("SELECT sum(x) FROM t", cancellationToken: Cancellation));
    }

    [Fact]
    [Trait("Code", ErrorCodes.QueryKilled)]
    public async Task A_write_in_the_queue_is_killed_before_it_begins()
    {
        await using var cluster = await StartAsync();
        var database = cluster.Client(ClusterFixture.Enam).Database("shop");
        await using var transaction = await database.BeginTransactionAsync(cancellationToken: Cancellation);
        var write = database.ExecuteAsync("INSERT INTO t VALUES (2)", cancellationToken: Cancellation);
        var queued = await FoundAsync(cluster, query => query.State == QueryState.Queued && query.Method == "Execute");

        Assert.True((await cluster.Client(ClusterFixture.Enam).Admin.KillQueryAsync(queued.Id, Cancellation)).Interrupted);
        await transaction.RollbackAsync(Cancellation); // a writer is looked at when its turn comes

        await IsKilledAsync(write);
        Assert.Equal(0, await database.QueryScalarAsync<long>("SELECT count(*) FROM t", cancellationToken: Cancellation));
    }

    [Fact]
    public async Task A_read_that_waits_for_its_bookmark_is_killed()
    {
        await using var cluster = await StartAsync(options => options with { Delays = new Dictionary<string, TimeSpan> { ["apac"] = TimeSpan.FromSeconds(30) } });
        var session = cluster.Client(ClusterFixture.Enam).Database("shop").WithSession();
        await session.ExecuteAsync("INSERT INTO t VALUES (1)", cancellationToken: Cancellation);
        var far = cluster.Client(ClusterFixture.Apac).Database("shop").WithSession(session.Bookmark!.Value);
        var read = far.ExecuteAsync("SELECT * FROM t", options: new QueryOptions { WaitTimeout = TimeSpan.FromSeconds(50) }, cancellationToken: Cancellation);
        var waiting = await FoundAsync(cluster, query => query.State == QueryState.WaitingForBookmark);

        Assert.True((await cluster.Client(ClusterFixture.Enam).Admin.KillQueryAsync(waiting.Id, Cancellation)).Interrupted);

        await IsKilledAsync(read);
    }

    [Fact]
    [Trait("Code", ErrorCodes.QueryNotFound)]
    public async Task An_id_that_is_no_more_is_not_found()
    {
        await using var cluster = await StartAsync();
        var failure = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Client(ClusterFixture.Enam).Admin.KillQueryAsync("enam-1.2", Cancellation));
        Assert.Equal(ErrorCodes.QueryNotFound, failure.Code);
    }

    [Fact]
    public async Task The_list_of_one_database_holds_that_alone()
    {
        await using var cluster = await StartAsync();
        await using var transaction = await cluster.Client(ClusterFixture.Enam).Database("shop").BeginTransactionAsync(cancellationToken: Cancellation);
        await cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync("other", cancellationToken: Cancellation);
        Assert.Single((await cluster.Client(ClusterFixture.Apac).Admin.ListQueriesAsync("shop", cancellationToken: Cancellation)).Queries);
        Assert.Empty((await cluster.Client(ClusterFixture.Apac).Admin.ListQueriesAsync("other", cancellationToken: Cancellation)).Queries);
        Assert.Empty((await cluster.Client(ClusterFixture.Apac).Admin.ListQueriesAsync("shop", thisNode: true, Cancellation)).Queries);
        var failure = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Client(ClusterFixture.Enam).Admin.ListQueriesAsync("nosuch", cancellationToken: Cancellation));
        Assert.Equal(ErrorCodes.DatabaseNotFound, failure.Code);
    }

    private static async Task<ClusterFixture> StartAsync(Func<Node.LocalClusterOptions, Node.LocalClusterOptions>? configure = null)
    {
        var cluster = await ClusterFixture.StartAsync(configure);
        await cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync("shop", cancellationToken: Cancellation);
        await cluster.Client(ClusterFixture.Enam).Database("shop").ExecuteAsync("CREATE TABLE t(x)", cancellationToken: Cancellation);
        return cluster;
    }

    private static async Task ReadAsync(SqlExecutor session)
    {
        await foreach (var row in session.StreamAsync(Endless, cancellationToken: Cancellation))
        {
            Assert.Fail($"A row came: {row}");
        }
    }

    private static async Task<QueryInfo> FoundAsync(ClusterFixture cluster, Func<QueryInfo, bool> isIt)
    {
        QueryInfo? found = null;
        await Eventually.TrueAsync(async () =>
            (found = (await cluster.Client(ClusterFixture.Enam).Admin.ListQueriesAsync(cancellationToken: Cancellation)).Queries.FirstOrDefault(isIt)) is not null, "the request is listed");
        return found!;
    }

    private static Task NothingRunsAsync(ClusterFixture cluster) => Eventually.TrueAsync(async () =>
        (await cluster.Client(ClusterFixture.Enam).Admin.ListQueriesAsync(cancellationToken: Cancellation)) is { Queries.Count: 0, MissingNodes.Count: 0 }, "nothing runs any more");

    private static async Task<ReplicatedSqliteException> IsKilledAsync(Task running)
    {
        var failure = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => running.WaitAsync(Eventually.Patience, TimeProvider.System, Cancellation));
        Assert.Equal(ErrorCodes.QueryKilled, failure.Code);
        Assert.False(failure.IsTransient);
        return failure;
    }
}
