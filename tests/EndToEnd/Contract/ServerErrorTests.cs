using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Testing;
using Value = ReplicatedSqlite.Protocol.V1.Value;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The error table at the head of query.proto: what servers, sessions and the state of the cluster fail with.</summary>
public sealed class ServerErrorTests(ContractCluster contract) : IClassFixture<ContractCluster>
{
    private const string Endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    private static readonly string[] _rpcs = ["Execute", "Stream"];

    [Fact]
    [Trait("Code", ErrorCodes.BookmarkMalformed)]
    public Task A_malformed_bookmark() => EverywhereAsync("yesterday", ErrorCodes.BookmarkMalformed, "'yesterday' is no session");

    [Fact]
    [Trait("Code", ErrorCodes.BookmarkForeign)]
    public Task A_bookmark_of_another_database() => EverywhereAsync(
        (contract.Bookmark with { Tag = ~contract.Bookmark.Tag }).ToString(), ErrorCodes.BookmarkForeign, "belongs to another database");

    [Fact]
    [Trait("Code", ErrorCodes.BookmarkFuture)]
    public async Task A_bookmark_of_the_future()
    {
        var now = await contract.Cluster.Client(0).Admin.GetBookmarkAsync("d");
        await EverywhereAsync((now with { Sequence = now.Sequence + 1_000_000 }).ToString(), ErrorCodes.BookmarkFuture, "is above everything", hasBookmark: true);
    }

    [Fact]
    [Trait("Code", ErrorCodes.BookmarkAbandoned)]
    public async Task A_bookmark_on_a_stretch_that_a_later_leadership_left_behind()
    {
        await using var cluster = await StartAsync();
        var old = await cluster.SettleAsync("d");
        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        await cluster.Database(0, "d").ExecuteAsync("INSERT INTO t VALUES (1)");
        var now = await cluster.SettleAsync("d");
        Assert.True(now.Epoch > old.Epoch);
        var abandoned = old with { Sequence = old.Sequence + 1 }; // the new epoch began there
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            foreach (var sql in (string[])["SELECT 1", "INSERT INTO t VALUES (2)"])
            {
                var failure = await FailAsync(cluster.Channel(region), new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = sql } }, Read = new() { Session = abandoned.ToString() } });
                Check(failure, ErrorCodes.BookmarkAbandoned, "was abandoned", atLeast: old);
            }
        }
    }

    [Fact]
    [Trait("Code", ErrorCodes.BookmarkTimeout)]
    public async Task A_wait_that_is_over()
    {
        await using var cluster = await StartAsync(options => options with { Delays = new Dictionary<string, TimeSpan> { ["apac"] = TimeSpan.FromSeconds(3) } });
        var old = await cluster.SettleAsync("d");
        var bookmark = (await cluster.Database(0, "d").ExecuteAsync("INSERT INTO t VALUES (1)")).Bookmark;
        var read = new ReadOptions { Session = bookmark.ToString(), OnWaitTimeout = Protocol.V1.OnWaitTimeout.Fail, WaitTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(80)) };
        var request = new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = "SELECT * FROM t" } }, Read = read };
        var failure = await FailAsync(cluster.Channel(ClusterFixture.Apac), request);
        var error = Check(failure, ErrorCodes.BookmarkTimeout, $"did not reach {bookmark} within 80 ms", atLeast: old);
        Assert.True(Bookmark.Parse(error.Bookmark) < bookmark);
        Check(await FailStreamAsync(cluster.Channel(ClusterFixture.Apac), request), ErrorCodes.BookmarkTimeout, "did not reach", atLeast: old);
        await using var transaction = new RawTransaction(cluster.Channel(ClusterFixture.Apac));
        await transaction.SendAsync(new TransactRequest { Begin = new() { Database = "d", ReadOnly = true, Read = read } });
        var told = (await transaction.NextAsync())!.Failed;
        Assert.Equal((ErrorCodes.BookmarkTimeout, true, true), (told.Error.Code, told.Error.Retryable, told.Ended));
    }

    [Fact]
    [Trait("Code", ErrorCodes.DatabaseNotFound)]
    public async Task An_unknown_database()
    {
        foreach (var rpc in (string[])["Execute", "Stream"])
        {
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                var request = Request("SELECT 1");
                request.Database = "nowhere";
                Check(await contract.FailAsync(rpc, region, request), ErrorCodes.DatabaseNotFound, "There is no database 'nowhere'");
            }
        }
    }

    [Fact]
    [Trait("Code", ErrorCodes.DatabaseExists)]
    public async Task A_name_that_is_taken()
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => contract.Cluster.Channel(region).CallAsync(AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "d" }));
            Check(Found(failure), ErrorCodes.DatabaseExists, "'d' exists already");
        }
    }

    [Fact]
    [Trait("Code", ErrorCodes.IdempotencyKeyReused)]
    public async Task Another_request_under_the_same_key()
    {
        var first = Request("CREATE TABLE IF NOT EXISTS keyed (x)");
        first.IdempotencyKey = "reused";
        await contract.Cluster.Channel(0).CallAsync(QueryMethods.Execute, first);
        foreach (var rpc in _rpcs)
        {
            foreach (var (_, region, inSession) in ContractCluster.Places)
            {
                var other = Request("INSERT INTO keyed VALUES (1)", inSession ? contract.Bookmark.ToString() : "");
                other.IdempotencyKey = "reused";
                Check(await contract.FailAsync(rpc, region, other), ErrorCodes.IdempotencyKeyReused, "key", atLeast: contract.Bookmark);
            }
        }
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Weur)]
    [Trait("Code", ErrorCodes.TransactionExpired)]
    public async Task A_transaction_whose_lease_ends(int region)
    {
        await using var transaction = await RawTransaction.BeginAsync(
            contract.Cluster.Channel(region), new() { Database = "d", IdleTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100)) });
        var told = (await transaction.NextAsync())!.Failed;
        Assert.True(told.Ended);
        Check(new(ErrorCodes.StatusOf(told.Error.Code), told.Error, told.Message, true), ErrorCodes.TransactionExpired, "no step came for 0.1 s");
    }

    [Fact]
    [Trait("Code", ErrorCodes.RequestTooLarge)]
    public async Task A_request_beyond_16_MiB()
    {
        var request = Request("SELECT length(?)");
        request.Statements[0].Positional.Add(new Value { Blob = ByteString.CopyFrom(new byte[(16 << 20) + 1]) });
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            foreach (var rpc in _rpcs)
            {
                Check(await contract.FailAsync(rpc, region, request), ErrorCodes.RequestTooLarge, "16777216");
            }
        }
    }

    [Fact]
    [Trait("Code", ErrorCodes.Overloaded)]
    public async Task More_queries_than_a_node_takes()
    {
        await using var cluster = await StartAsync(options => options with { Configure = node => node with { Router = node.Router with { MaxQueries = 2 } } });
        using var ending = new CancellationTokenSource();
        var running = Enumerable.Range(0, 3).Select(_ => cluster.Channel(0).CallAsync(
            QueryMethods.Execute, new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = Endless } } }, cancellationToken: ending.Token)).ToList();
        var refused = await Task.WhenAny(running).InTimeAsync(); // two run until they are given up
        running.Remove(refused);
        var error = Check(Found(await Assert.ThrowsAsync<RpcException>(() => refused)), ErrorCodes.Overloaded, "queries in flight");
        Assert.InRange(error.RetryAfter.ToTimeSpan(), TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(5));
        await ending.CancelAsync();
        await Task.WhenAll(running.Select(call => Assert.ThrowsAnyAsync<Exception>(() => call))).InTimeAsync();
    }

    [Fact]
    [Trait("Code", ErrorCodes.SqliteCorrupt)]
    public async Task A_file_that_is_damaged()
    {
        await using var cluster = await StartAsync();
        await cluster.Database(0, "d").ExecuteAsync("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i FROM n");
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync("d")).Id;
        var bookmark = await cluster.SettleAsync("d");
        await cluster.StopAsync();
        var path = cluster.PrimaryFile(id);
        for (var offset = 4096; offset < new FileInfo(path).Length; offset += 4096)
        {
            FileDamage.Overwrite(path, offset, new byte[64]); // no page is of any kind now
        }

        await cluster.StartAgainAsync();
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            foreach (var sql in (string[])["SELECT sum(x) FROM t", "DELETE FROM t"])
            {
                var error = Check(
                    await FailAsync(cluster.Channel(region), new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = sql } } }), ErrorCodes.SqliteCorrupt, "malformed", atLeast: bookmark);
                Assert.Equal((11, 0), (error.SqliteCode & 0xff, error.StatementIndex));
            }
        }
    }

    [Fact]
    [Trait("Code", ErrorCodes.NoPrimary)]
    public async Task A_primary_whose_node_has_stopped()
    {
        await using var cluster = await LateCluster.StartAsync();
        await cluster.Channels[0].CallAsync(
            AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "d", Options = new DatabaseOptions { Followers = 1 } }); // nobody else can take over
        cluster.CatchUp();
        await cluster.Nodes[0].DisposeAsync();
        for (var region = 1; region < 3; region++)
        {
            var request = new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = "CREATE TABLE t (x)" } } };
            Check(await FailAsync(cluster.Channels[region], request), ErrorCodes.NoPrimary, "is not alive");
            Check(await FailStreamAsync(cluster.Channels[region], request), ErrorCodes.NoPrimary, "is not alive");
            var admin = await Assert.ThrowsAsync<RpcException>(() => cluster.Channels[region].CallAsync(AdminMethods.UpdateDatabase, new UpdateDatabaseRequest { Database = "d", NewName = "e" }));
            Check(Found(admin), ErrorCodes.NoPrimary, "is not alive");
        }
    }

    [Fact]
    [Trait("Code", ErrorCodes.CopyStale)]
    public async Task A_copy_that_is_taken_away_under_a_read()
    {
        await using var cluster = await StartAsync();
        await cluster.Database(0, "d").ExecuteAsync("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i FROM n");
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync("d")).Id;
        var bookmark = await cluster.SettleAsync("d");
        await cluster.StopAsync(); // all of it is in the main file then
        var path = cluster.ReplicaFile(id, ClusterFixture.Apac);
        for (var offset = 8192; offset < new FileInfo(path).Length; offset += 4096)
        {
            FileDamage.Overwrite(path, offset, new byte[64]);
        }

        await cluster.StartAgainAsync();
        var request = new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = Endless } }, Read = new() { Session = bookmark.ToString() } };
        var first = await cluster.Channel(ClusterFixture.Apac).CallAsync(
            QueryMethods.Execute, new ExecuteRequest { Database = "d", Statements = { new Statement { Sql = "SELECT 1" } }, Read = request.Read });
        Assert.False(first.Served.Primary);
        var reading = FailAsync(cluster.Channel(ClusterFixture.Apac), request); // touches none of the damaged pages
        await using var rows = cluster.Channel(ClusterFixture.Apac).OpenServerStream(QueryMethods.Stream, new StreamRequest
        {
            Database = "d", Statements = { new Statement { Sql = Endless.Replace("count(*)", "i", StringComparison.Ordinal) } }, Read = request.Read, BatchRows = 1,
        });
        await using var parts = rows.GetAsyncEnumerator();
        Assert.True(await parts.MoveNextAsync());
        Assert.Equal(5000, await cluster.At(ClusterFixture.Apac, "d", bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t WHERE x > 0")); // by the primary; the copy is built again
        Check(await reading.InTimeAsync(), ErrorCodes.CopyStale, "Nothing was done; try again");
        var cut = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await parts.MoveNextAsync())
            {
                // What was on its way.
            }
        }).InTimeAsync();
        Check(Found(cut), ErrorCodes.CopyStale, "Nothing was done; try again");
    }

    [Theory]
    [InlineData(ClusterFixture.Enam, "Execute")]
    [InlineData(ClusterFixture.Enam, "Stream")]
    [InlineData(ClusterFixture.Weur, "Execute")]
    [InlineData(ClusterFixture.Weur, "Stream")]
    [Trait("Code", ErrorCodes.WriteOutcomeUnknown)]
    [Trait("Code", ErrorCodes.QuorumUnavailable)]
    public async Task Followers_that_take_nothing(int region, string rpc)
    {
        using var disk = new GatedDisk();
        await using var cluster = await StartAsync(options => options with { Configure = node => node.Region == "enam" ? node with { JournalDisk = disk } : node });
        await cluster.Channel(0).CallAsync(
            AdminMethods.CreateDatabase, new CreateDatabaseRequest { Name = "alone", Options = new DatabaseOptions { Followers = 1 } }); // nobody else has its log
        await cluster.Channel(0).CallAsync(QueryMethods.Execute, new ExecuteRequest { Database = "alone", Statements = { new Statement { Sql = "CREATE TABLE t (x)" } } });
        disk.Hold();
        var write = new ExecuteRequest { Database = "alone", Statements = { new Statement { Sql = "INSERT INTO t VALUES (1)" } } };
        var writing = rpc == "Execute" ? FailAsync(cluster.Channel(region), write) : FailStreamAsync(cluster.Channel(region), write);
        await Eventually.TrueAsync(() => disk.Waiting > 0, "the write waits for the disk");
        var found = await writing.InTimeAsync();
        var error = found.Error!;
        Assert.Equal(
            (ErrorCodes.WriteOutcomeUnknown, StatusCode.Unknown, Protocol.V1.CommitState.Unknown, false, -1, -1),
            (error.Code, found.Status, error.CommitState, error.Retryable, error.StatementIndex, error.SqlOffset));
        Check(await FailAsync(cluster.Channel(region), write).InTimeAsync(), ErrorCodes.QuorumUnavailable, "Nothing was done; try again");
        disk.Release();
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await cluster.Channel(region).CallAsync(QueryMethods.Execute, write);
                    return true;
                }
                catch (RpcException refused) when (refused.FindDetail<SqlError>()?.Code == ErrorCodes.QuorumUnavailable)
                {
                    return false;
                }
            },
            "writes go on");
    }

    private async Task EverywhereAsync(string session, string code, string message, bool hasBookmark = false)
    {
        foreach (var rpc in _rpcs)
        {
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                foreach (var sql in (string[])["SELECT 1", "DELETE FROM plain"])
                {
                    Check(await contract.FailAsync(rpc, region, Request(sql, session)), code, message, hasBookmark ? contract.Bookmark : null);
                }
            }
        }

        await using var transaction = new RawTransaction(contract.Cluster.Channel(1));
        await transaction.SendAsync(new TransactRequest { Begin = new() { Database = "d", Read = new() { Session = session } } });
        var told = (await transaction.NextAsync())!.Failed;
        Assert.True(told.Ended);
        Check(new(ErrorCodes.StatusOf(told.Error.Code), told.Error, told.Message, true), code, message, hasBookmark ? contract.Bookmark : null);
    }

    private static SqlError Check(FoundError found, string code, string message, Bookmark? atLeast = null)
    {
        Assert.True(found.Error is not null, $"{found.Status} {found.Message} came without details");
        Assert.Equal((code, ErrorCodes.StatusOf(code), ErrorCodes.IsRetryable(code), Protocol.V1.CommitState.NotCommitted), (found.Error.Code, found.Status, found.Error.Retryable, found.Error.CommitState));
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
        if (atLeast is { } least)
        {
            Assert.True(Bookmark.TryParse(found.Error.Bookmark, out var bookmark) && bookmark >= least, $"{code} came with the bookmark '{found.Error.Bookmark}'");
        }

        if (found.Error.SqliteCode == 0)
        {
            Assert.Equal(-1, found.Error.SqlOffset);
        }

        return found.Error;
    }

    private static ExecuteRequest Request(string sql, string session = "") => new() { Database = "d", Statements = { new Statement { Sql = sql } }, Read = new() { Session = session } };

    private static FoundError Found(RpcException failure) => new(failure.StatusCode, failure.FindDetail<SqlError>(), failure.Detail, Ended: false);

    private static async Task<FoundError> FailAsync(GrpcChannel channel, ExecuteRequest request) =>
        Found(await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(QueryMethods.Execute, request)));

    private static async Task<FoundError> FailStreamAsync(GrpcChannel channel, ExecuteRequest request) => Found(await Assert.ThrowsAsync<RpcException>(async () =>
    {
        await using var parts = channel.OpenServerStream(QueryMethods.Stream, ContractCluster.Stream(request));
        await foreach (var _ in parts)
        {
            // Rows may come before the error.
        }
    }));

    private static async Task<ClusterFixture> StartAsync(Func<Node.LocalClusterOptions, Node.LocalClusterOptions>? configure = null)
    {
        var cluster = await ClusterFixture.StartAsync(configure);
        await cluster.Client(0).Admin.CreateDatabaseAsync("d");
        await cluster.Database(0, "d").ExecuteAsync("CREATE TABLE t (x)");
        return cluster;
    }
}
