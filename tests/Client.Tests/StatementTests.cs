using ReplicatedSqlite.Protocol.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;

namespace ReplicatedSqlite.Client.Tests;

public sealed class StatementTests
{
    [Fact]
    public async Task Parameters_travel_by_position_and_by_name()
    {
        var request = await SentAsync(database => database.ExecuteAsync(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?, :n)",
            SqlParameters.Positional(1, null, "x", 2.5, new byte[] { 1, 2 }).With([new("n", true)])));
        var statement = Assert.Single(request.Statements);
        Assert.Equal(
            [new Value { Integer = 1 }, new Value(), new Value { Text = "x" }, new Value { Real = 2.5 }, new Value { Blob = Google.Protobuf.ByteString.CopyFrom(1, 2) }],
            statement.Positional);
        Assert.Equal(new Value { Integer = 1 }, Assert.Single(statement.Named, pair => pair.Key == "n").Value);
        Assert.False(request.Script);
    }

    [Fact]
    public async Task A_collection_expression_makes_positional_parameters()
    {
        var request = await SentAsync(database => database.ExecuteAsync("SELECT ?, ?", [7, "seven"]));
        Assert.Equal([new Value { Integer = 7 }, new Value { Text = "seven" }], request.Statements[0].Positional);
    }

    [Fact]
    public async Task A_batch_keeps_its_order_and_a_script_says_that_it_is_one()
    {
        var batch = await SentAsync(database => database.BatchAsync([new("INSERT INTO t VALUES (?)", [1]), new("", [2]), "SELECT 1"]));
        Assert.Equal(["INSERT INTO t VALUES (?)", "", "SELECT 1"], batch.Statements.Select(s => s.Sql));
        Assert.False(batch.Script);
        var script = await SentAsync(database => database.ScriptAsync("SELECT 1; SELECT :x", SqlParameters.Named((":x", 3))));
        Assert.True(script.Script);
        Assert.Equal(3, script.Statements[0].Named[":x"].Integer);
    }

    [Fact]
    public async Task Options_travel_with_the_call()
    {
        var options = new QueryOptions
        {
            SqlTimeout = TimeSpan.FromSeconds(3),
            WaitTimeout = TimeSpan.FromMilliseconds(250),
            OnWaitTimeout = OnWaitTimeout.Fail,
            MaxStaleness = TimeSpan.FromSeconds(9),
            AsOf = Answer.Bookmark(4),
            IdempotencyKey = "k1",
        };
        var request = await SentAsync(database => database.ExecuteAsync("SELECT 1", null, options));
        Assert.Equal("k1", request.IdempotencyKey);
        Assert.Equal(Duration.FromTimeSpan(TimeSpan.FromSeconds(3)), request.Timeout);
        Assert.Equal(
            new ReadOptions
            {
                WaitTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(250)),
                OnWaitTimeout = Protocol.V1.OnWaitTimeout.Fail,
                MaxStaleness = Duration.FromTimeSpan(TimeSpan.FromSeconds(9)),
                AsOf = Answer.Bookmark(4).ToString(),
            },
            request.Read);
    }

    [Fact]
    public async Task Values_without_a_form_in_SQLite_are_refused_before_they_are_sent()
    {
        await using var client = new ReplicatedSqliteClient("127.0.0.1:1");
        var database = client.Database("shop");
        await Assert.ThrowsAsync<ArgumentException>(() => database.ExecuteAsync("SELECT ?", [new object()]));
        await Assert.ThrowsAsync<ArgumentException>(() => database.ExecuteAsync("SELECT ?", ["half \ud800 pair"]));
        Assert.Throws<ArgumentException>(() => new SqlStatement("SELECT '\udc00'"));
        Assert.Throws<ArgumentException>(() => SqlParameters.Named(("a", 1), ("a", 2)));
    }

    [Fact]
    public void Dates_and_ids_are_text()
    {
        Assert.Equal(-1, SqlValueWriter.Write(ulong.MaxValue, "?1").Integer); // the same bits
        Assert.Equal("2026-01-02 03:04:05.5", SqlValueWriter.Write(new DateTime(2026, 1, 2, 3, 4, 5, 500), "?1").Text);
        Assert.Equal("2026-01-02", SqlValueWriter.Write(new DateOnly(2026, 1, 2), "?1").Text);
        Assert.Equal("19.9", SqlValueWriter.Write(19.90m, "?1").Text);
        Assert.Equal("0F8FAD5B-D9CB-469F-A165-70867728950E", SqlValueWriter.Write(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), "?1").Text);
    }

    [Theory]
    [InlineData("SELECT 1", true)]
    [InlineData("  /* c */ -- d\n select * from t", true)]
    [InlineData("VALUES (1)", true)]
    [InlineData("EXPLAIN QUERY PLAN DELETE FROM t", true)]
    [InlineData("WITH x AS (SELECT 1) DELETE FROM t", false)]
    [InlineData("WITH x AS (SELECT 1) SELECT * FROM x", true)]
    [InlineData("SELECT 1; DELETE FROM t", false)]
    [InlineData("SELECT '; DELETE FROM t'; SELECT 2;", true)]
    [InlineData("INSERT INTO t SELECT 1", false)]
    [InlineData("SELECTED", false)]
    [InlineData("/* SELECT", false)]
    [InlineData("", false)]
    public void Only_what_surely_reads_counts_as_a_read(string sql, bool expected) => Assert.Equal(expected, SqlShape.Of(sql).IsSurelyRead);

    private static async Task<ExecuteRequest> SentAsync(Func<ReplicatedDatabase, Task> call)
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        ExecuteRequest? sent = null;
        server.OnExecute = (request, _) =>
        {
            sent = request;
            return new(Answer.Empty());
        };
        await call(client.Database("shop"));
        Assert.Equal("shop", sent!.Database);
        return sent;
    }
}
