using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using Value = ReplicatedSqlite.Protocol.V1.Value;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>SQL and parameters that are wrong, in every region: the contract's code each time, and nothing else suffers.</summary>
public sealed class SqlInputTests(InputCluster input) : IClassFixture<InputCluster>
{
    private static readonly Value _one = new() { Integer = 1 };

    [Theory]
    [InlineData("nothing")]
    [InlineData("D")]
    [InlineData("00000000-0000-0000-0000-000000000001")]
    [InlineData("../d")]
    public Task An_unknown_database_is_not_found(string name) => RefusedAsync(
        new ExecuteRequest { Database = name, Statements = { new Statement { Sql = "SELECT 1" } } }, StatusCode.NotFound, ErrorCodes.DatabaseNotFound);

    [Fact]
    public Task No_database_is_an_invalid_request() => RefusedAsync(
        new ExecuteRequest { Statements = { new Statement { Sql = "SELECT 1" } } }, StatusCode.InvalidArgument, ErrorCodes.InvalidRequest);

    [Theory]
    [InlineData("")]
    [InlineData("   \n")]
    [InlineData("-- nothing")]
    [InlineData(";")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("DELETE FROM t; SELECT 2")]
    public Task One_statement_is_wanted(string sql) => RefusedAsync(InputCluster.Request(sql), StatusCode.InvalidArgument, ErrorCodes.InvalidRequest);

    [Fact]
    public Task No_statement_is_an_invalid_request() =>
        RefusedAsync(new ExecuteRequest { Database = "d" }, StatusCode.InvalidArgument, ErrorCodes.InvalidRequest);

    [Theory]
    [InlineData("SELECT ?, ?")]
    [InlineData("SELECT 1")]
    [InlineData("SELECT :a")]
    [InlineData("INSERT INTO t (x) VALUES (?2)")]
    [InlineData("INSERT INTO t (x) VALUES ('p')")]
    public Task One_positional_parameter_is_too_few_or_too_many(string sql) =>
        RefusedAsync(InputCluster.Request(sql, "", _one), StatusCode.InvalidArgument, ErrorCodes.Parameters);

    [Theory]
    [InlineData("SELECT :a")]
    [InlineData("SELECT ?")]
    [InlineData("SELECT :b, :c")]
    [InlineData("INSERT INTO t (x) VALUES (:a)")]
    public Task A_parameter_by_another_name_is_refused(string sql)
    {
        var request = InputCluster.Request(sql);
        request.Statements[0].Named.Add("b", _one);
        return RefusedAsync(request, StatusCode.InvalidArgument, ErrorCodes.Parameters);
    }

    [Theory]
    [InlineData("SELEC 1")]
    [InlineData("SELECT * FROM nowhere")]
    [InlineData("INSERT INTO nowhere VALUES (1)")]
    [InlineData("SELECT 'open")]
    public async Task Wrong_SQL_is_refused(string sql)
    {
        var error = await input.IsRefusedAsync(InputCluster.Request(sql), StatusCode.InvalidArgument, ErrorCodes.SqliteError);
        Assert.Equal(0, error.StatementIndex);
        Assert.Equal(1, error.SqliteCode & 0xff);
        Assert.NotEqual("", error.Bookmark);
    }

    [Theory]
    [InlineData("INSERT INTO t (x) VALUES ('a')", "SQLITE_CONSTRAINT_UNIQUE")]
    [InlineData("INSERT INTO t (id, x) VALUES (1, 'new')", "SQLITE_CONSTRAINT_PRIMARYKEY")]
    [InlineData("INSERT INTO t (y) VALUES (NULL)", "SQLITE_CONSTRAINT_NOTNULL")]
    [InlineData("INSERT INTO t (y) VALUES (-1)", "SQLITE_CONSTRAINT_CHECK")]
    public Task A_broken_constraint_fails_with_its_own_name(string sql, string code) =>
        RefusedAsync(InputCluster.Request(sql), StatusCode.FailedPrecondition, code);

    [Theory]
    [InlineData("PRAGMA journal_mode = DELETE")]
    [InlineData("PRAGMA writable_schema = ON")]
    [InlineData("PRAGMA page_size = 512")]
    [InlineData("PRAGMA wal_checkpoint")]
    [InlineData("PRAGMA synchronous = OFF")]
    [InlineData("PRAGMA locking_mode = EXCLUSIVE")]
    [InlineData("ATTACH 'other.db' AS other")]
    [InlineData("DETACH main")]
    [InlineData("BEGIN")]
    [InlineData("BEGIN EXCLUSIVE")]
    [InlineData("COMMIT")]
    [InlineData("ROLLBACK")]
    [InlineData("SAVEPOINT s")]
    [InlineData("VACUUM INTO '/tmp/stolen.db'")]
    [InlineData("SELECT load_extension('x')")]
    [InlineData("SELECT * FROM _rs_requests")]
    [InlineData("DELETE FROM _rs_requests")]
    [InlineData("DROP TABLE _rs_requests")]
    [InlineData("CREATE TABLE _rs_mine (x)")]
    [InlineData("SELECT * FROM sqlite_dbpage")]
    public Task What_the_policy_forbids_is_refused(string sql) => RefusedAsync(InputCluster.Request(sql), StatusCode.PermissionDenied, ErrorCodes.SqliteAuth);

    [Fact]
    public async Task The_same_holds_within_a_session_at_a_replica()
    {
        foreach (var sql in (string[])["BEGIN", "ATTACH ':memory:' AS x", "PRAGMA journal_mode = DELETE", "SELECT * FROM _rs_requests"])
        {
            await RefusedAsync(InputCluster.Request(sql, input.Bookmark.ToString()), StatusCode.PermissionDenied, ErrorCodes.SqliteAuth);
        }

        await RefusedAsync(InputCluster.Request("SELECT ?", input.Bookmark.ToString()), StatusCode.InvalidArgument, ErrorCodes.Parameters);
        await RefusedAsync(InputCluster.Request("SELECT 1; SELECT 2", input.Bookmark.ToString()), StatusCode.InvalidArgument, ErrorCodes.InvalidRequest);
        await RefusedAsync(InputCluster.Request("SELECT * FROM nowhere", input.Bookmark.ToString()), StatusCode.InvalidArgument, ErrorCodes.SqliteError);
    }

    [Theory]
    [InlineData("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")]
    [InlineData("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) INSERT INTO t (x) SELECT 'endless' || i FROM n")]
    public async Task SQL_without_end_is_stopped_by_its_timeout(string sql)
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            foreach (var session in (string[])["", input.Bookmark.ToString()])
            {
                var request = InputCluster.Request(sql, session);
                request.Timeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(150));
                await input.IsRefusedAsync(request, StatusCode.DeadlineExceeded, ErrorCodes.StatementTimeout, region);
            }
        }
    }

    [Fact]
    public async Task A_negative_time_is_an_invalid_request()
    {
        var request = InputCluster.Request("SELECT 1");
        request.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(-1));
        await RefusedAsync(request, StatusCode.InvalidArgument, ErrorCodes.InvalidRequest);
        request = InputCluster.Request("SELECT 1");
        request.Read.WaitTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(-1));
        await RefusedAsync(request, StatusCode.InvalidArgument, ErrorCodes.InvalidRequest);
        request.Read.WaitTimeout = new Duration { Seconds = 315_576_000_001, Nanos = -5 };
        await RefusedAsync(request, StatusCode.InvalidArgument, ErrorCodes.InvalidRequest);
    }

    [Fact]
    public async Task A_request_beyond_16_MiB_is_refused_and_one_below_it_passes()
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => input.Cluster.Channel(region).CallAsync(
                QueryMethods.Execute, InputCluster.Request("SELECT length(?)", "", new Value { Blob = ByteString.CopyFrom(new byte[17 << 20]) })));
            Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
            Assert.Equal(ErrorCodes.RequestTooLarge, failure.FindDetail<SqlError>()?.Code);

            var answer = await input.Cluster.Channel(region).CallAsync(
                QueryMethods.Execute, InputCluster.Request("SELECT length(?)", "", new Value { Blob = ByteString.CopyFrom(new byte[(16 << 20) - 4096]) }));
            Assert.Equal((16 << 20) - 4096, answer.Results[0].Rows.Columns[0].Integers[0]);
        }

        await input.StillAnswersAsync();
    }

    [Fact]
    public async Task An_answer_beyond_4_MiB_names_Stream()
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var request = InputCluster.Request("SELECT hex(randomblob(500000)) FROM (VALUES (1), (2), (3), (4), (5), (6))", input.Bookmark.ToString());
            var failure = await Assert.ThrowsAsync<RpcException>(() => input.Cluster.Channel(region).CallAsync(QueryMethods.Execute, request));
            Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
            Assert.Equal(ErrorCodes.ResultTooLarge, failure.FindDetail<SqlError>()?.Code);
            Assert.Contains("Stream", failure.Detail);
        }

        await input.StillAnswersAsync();
    }

    private Task<SqlError> RefusedAsync(ExecuteRequest request, StatusCode status, string code) => input.IsRefusedAsync(request, status, code);
}
