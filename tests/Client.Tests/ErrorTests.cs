using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Client.Tests;

public sealed class ErrorTests
{
    public static TheoryData<string, System.Type> Codes => new()
    {
        { ErrorCodes.SqliteError, typeof(ReplicatedSqliteException) },
        { ErrorCodes.SqliteMismatch, typeof(ReplicatedSqliteException) },
        { ErrorCodes.SqliteTooBig, typeof(ReplicatedSqliteException) },
        { ErrorCodes.Parameters, typeof(ReplicatedSqliteException) },
        { ErrorCodes.InvalidRequest, typeof(ReplicatedSqliteException) },
        { "SQLITE_CONSTRAINT_UNIQUE", typeof(ReplicatedSqliteException) },
        { ErrorCodes.BookmarkMalformed, typeof(MalformedBookmarkException) },
        { ErrorCodes.BookmarkForeign, typeof(ForeignBookmarkException) },
        { ErrorCodes.BookmarkFuture, typeof(FutureBookmarkException) },
        { ErrorCodes.BookmarkAbandoned, typeof(AbandonedBookmarkException) },
        { ErrorCodes.BookmarkTimeout, typeof(BookmarkTimeoutException) },
        { ErrorCodes.SqliteAuth, typeof(ReplicatedSqliteException) },
        { ErrorCodes.TokenLacksRight, typeof(ReplicatedSqliteException) },
        { ErrorCodes.TokenMissing, typeof(ReplicatedSqliteException) },
        { ErrorCodes.TokenInvalid, typeof(ReplicatedSqliteException) },
        { ErrorCodes.DatabaseNotFound, typeof(ReplicatedSqliteException) },
        { ErrorCodes.DatabaseExists, typeof(ReplicatedSqliteException) },
        { ErrorCodes.IdempotencyKeyReused, typeof(ReplicatedSqliteException) },
        { ErrorCodes.StatementTimeout, typeof(StatementTimeoutException) },
        { ErrorCodes.TransactionExpired, typeof(ReplicatedSqliteException) },
        { ErrorCodes.SqliteFull, typeof(ReplicatedSqliteException) },
        { ErrorCodes.Overloaded, typeof(UnavailableException) },
        { ErrorCodes.ResultTooLarge, typeof(ReplicatedSqliteException) },
        { ErrorCodes.RequestTooLarge, typeof(ReplicatedSqliteException) },
        { ErrorCodes.CopyStale, typeof(UnavailableException) },
        { ErrorCodes.NoPrimary, typeof(UnavailableException) },
        { ErrorCodes.QuorumUnavailable, typeof(UnavailableException) },
        { ErrorCodes.WriteOutcomeUnknown, typeof(WriteOutcomeUnknownException) },
        { ErrorCodes.SqliteCorrupt, typeof(ReplicatedSqliteException) },
    };

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Each_code_of_the_contract_arrives_whole(string code, System.Type type)
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        var error = new SqlError
        {
            Code = code,
            StatementIndex = 2,
            SqlOffset = 17,
            SqliteCode = 2067,
            CommitState = code == ErrorCodes.WriteOutcomeUnknown ? Protocol.V1.CommitState.Unknown : Protocol.V1.CommitState.NotCommitted,
            Retryable = ErrorCodes.IsRetryable(code),
            Bookmark = Answer.Bookmark(6).ToString(),
            RetryAfter = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)),
        };
        server.OnExecute = (_, _) => throw new RequestException(error, "what happened");
        server.OnStream = (_, _, _) => throw new RequestException(error, "what happened");
        var session = client.Database("shop").WithSession();
        foreach (var call in new Func<Task>[] { () => session.ExecuteAsync("INSERT"), () => DrainAsync(session.StreamAsync("INSERT")) })
        {
            var e = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(call);
            Assert.IsType(type, e);
            Assert.Equal((code, "what happened", 2, 17, 2067), (e.Code, e.Message, e.StatementIndex, e.SqlOffset, e.SqliteCode));
            Assert.Equal(((CommitState)error.CommitState, error.Retryable), (e.CommitState, e.IsTransient));
            Assert.Equal(TimeSpan.FromSeconds(2), e.RetryAfter);
            Assert.Equal(Answer.Bookmark(6), e.Bookmark);
            Assert.Equal(Answer.Bookmark(6), session.Bookmark);
        }
    }

    [Theory]
    [InlineData("SELECT 1", null, false, true)]
    [InlineData("INSERT INTO t VALUES (1)", null, true, false)]
    [InlineData("INSERT INTO t VALUES (1)", "key", true, true)]
    public async Task A_connection_that_breaks_leaves_writes_unknown_and_reads_retryable(string sql, string? key, bool unknown, bool transient)
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        var calls = 0;
        server.OnExecute = (_, context) =>
        {
            calls++;
            throw new RpcException(StatusCode.Unavailable, "the connection broke"); // as a proxy answers, without the contract's details
        };
        var e = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(
            () => client.Database("shop").ExecuteAsync(sql, null, new QueryOptions { IdempotencyKey = key }));
        Assert.IsType(unknown ? typeof(WriteOutcomeUnknownException) : typeof(UnavailableException), e);
        Assert.Equal(transient, e.IsTransient);
        Assert.Equal(unknown ? CommitState.Unknown : CommitState.NotCommitted, e.CommitState);
        Assert.Equal(1, calls); // what may have been carried out is never sent again
    }

    [Fact]
    public async Task A_server_that_dies_during_a_write_leaves_its_outcome_unknown()
    {
        var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        var arrived = new TaskCompletionSource();
        server.OnExecute = async (_, context) =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return new ExecuteResponse();
        };
        var write = client.Database("shop").ExecuteAsync("INSERT INTO t VALUES (1)");
        await arrived.Task;
        await server.AbortAsync();
        var e = await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => write.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.False(e.IsTransient);
    }

    [Fact]
    public async Task A_deadline_leaves_a_write_unknown_and_a_read_retryable()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnExecute = async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
            return new ExecuteResponse();
        };
        var options = new QueryOptions { CallTimeout = TimeSpan.FromMilliseconds(100) };
        await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => client.Database("shop").ExecuteAsync("DELETE FROM t", null, options));
        var read = await Assert.ThrowsAsync<StatementTimeoutException>(() => client.Database("shop").ExecuteAsync("SELECT 1", null, options));
        Assert.Equal(("DEADLINE_EXCEEDED", true), (read.Code, read.IsTransient));
    }

    [Fact]
    public async Task Nobody_listening_means_that_nothing_was_done()
    {
        await using var client = new ReplicatedSqliteClient("127.0.0.1:1");
        var e = await Assert.ThrowsAsync<UnavailableException>(() => client.Database("shop").ExecuteAsync("INSERT INTO t VALUES (1)"));
        Assert.Equal((true, CommitState.NotCommitted), (e.IsTransient, e.CommitState));
        await Assert.ThrowsAsync<UnavailableException>(() => DrainAsync(client.Database("shop").StreamAsync("INSERT INTO t VALUES (1)")));
    }

    [Fact]
    public async Task Another_endpoint_is_asked_when_one_cannot_be_reached()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = new ReplicatedSqliteClient(["127.0.0.1:1", "127.0.0.1:2", server.Address]);
        Assert.Equal(Answer.Bookmark(1), (await client.Database("shop").ExecuteAsync("INSERT INTO t VALUES (1)")).Bookmark);
        await DrainAsync(client.Database("shop").StreamAsync("SELECT 1"));
    }

    [Fact]
    public async Task The_token_travels_with_every_call()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect(new ReplicatedSqliteClientOptions { Token = "secret" });
        string? seen = null;
        server.OnExecute = (_, context) =>
        {
            context.RequestHeaders.TryGet("authorization", out seen);
            return new(Answer.Empty());
        };
        await client.Database("shop").ExecuteAsync("SELECT 1");
        Assert.Equal("Bearer secret", seen);
    }

    [Fact]
    public async Task A_method_that_a_server_lacks_is_said_so()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        server.OnExecute = (_, _) => throw new RpcException(StatusCode.Unimplemented, "Not built yet.");
        var e = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => client.Database("shop").ExecuteAsync("INSERT INTO t VALUES (1)"));
        Assert.Equal(("UNIMPLEMENTED", false, CommitState.NotCommitted), (e.Code, e.IsTransient, e.CommitState));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("http://127.0.0.1")]
    [InlineData("ftp://127.0.0.1:1")]
    [InlineData("http://127.0.0.1:1/path")]
    [InlineData("[::1]")]
    public void An_endpoint_that_is_none_is_refused(string endpoint) => Assert.Throws<ArgumentException>(() => new ReplicatedSqliteClient(endpoint));

    private static async Task DrainAsync(IAsyncEnumerable<Row> rows)
    {
        await foreach (var _ in rows)
        {
        }
    }
}
