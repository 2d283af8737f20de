using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Interactive transactions that write, through any region.</summary>
public sealed class TransactTests
{
    private const string Name = "shop";
    private static readonly Google.Protobuf.WellKnownTypes.Duration _longLease = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(30));
    private static readonly TimeSpan _beforeItEnds = TimeSpan.FromSeconds(25);

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Apac)]
    public async Task Steps_see_each_other_and_commit_together(int region)
    {
        await using var cluster = await StartAsync();
        var session = cluster.Database(region, Name).WithSession(Session.FirstUnconstrained);
        await using (var transaction = await session.BeginTransactionAsync())
        {
            Assert.True(transaction.Served.Primary);
            await transaction.ExecuteAsync("INSERT INTO t VALUES (1, 'a')");
            Assert.Equal("a", await transaction.QueryScalarAsync<string>("SELECT v FROM t WHERE id = ?", [1]));
            Assert.Equal(0, await cluster.Database(0, Name).QueryScalarAsync<long>("SELECT count(*) FROM t"));
            var batch = await transaction.BatchAsync(["INSERT INTO t VALUES (2, 'b')", "SELECT count(*) FROM t"]);
            Assert.Equal(2, batch.Results[1].Rows[0].GetInt64(0));
            var bookmark = await transaction.CommitAsync();
            Assert.Equal(bookmark, session.Bookmark);
            Assert.True(bookmark > transaction.Begun);
        }

        Assert.Equal(2, await session.QueryScalarAsync<long>("SELECT count(*) FROM t")); // reads its writes, on this region's copy
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Weur)]
    public async Task Every_step_is_answered_in_order_also_when_they_are_sent_at_once(int region)
    {
        await using var cluster = await StartAsync();
        await using var transaction = new RawTransaction(cluster.Channel(region));
        await transaction.SendAsync(new TransactRequest { Begin = new() { Database = Name } });
        await transaction.SendAsync(RawTransaction.Sql("INSERT INTO t VALUES (1, 'a') RETURNING id", "SELECT 5"));
        await transaction.SendAsync(RawTransaction.Sql("INSERT INTO t VALUES (2, 'x')", "INSERT INTO t VALUES (1, 'again')", "INSERT INTO t VALUES (3, 'y')"));
        await transaction.SendAsync(new TransactRequest { Commit = new() });
        var kinds = new List<string>();
        while (await transaction.NextAsync() is { } response)
        {
            kinds.Add(response.AnswerCase == TransactResponse.AnswerOneofCase.Result
                ? $"{response.Result.StatementIndex}{response.Result.PartCase}"
                : response.AnswerCase.ToString());
        }

        Assert.Equal(
            ["Done", "0Header", "0Rows", "0End", "1Header", "1Rows", "1End", "Done", "0Header", "0End", "Failed", "Done"],
            kinds);
        Assert.Equal("1,2", await cluster.Database(0, Name).QueryScalarAsync<string>("SELECT group_concat(id) FROM t"));
    }

    [Fact]
    public async Task After_a_failure_the_transaction_goes_on_with_what_was_done_before()
    {
        await using var cluster = await StartAsync();
        await using var transaction = await cluster.Database(1, Name).BeginTransactionAsync();
        await transaction.ExecuteAsync("INSERT INTO t VALUES (1, 'a')");
        var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.ExecuteAsync("INSERT INTO t VALUES (1, 'b')"));
        Assert.Equal("SQLITE_CONSTRAINT_PRIMARYKEY", failure.Code);
        Assert.Equal(0, failure.StatementIndex);
        Assert.Equal(CommitState.NotCommitted, failure.CommitState);
        Assert.False(transaction.IsEnded);
        foreach (var refused in new[] { "BEGIN", "COMMIT", "END", "ROLLBACK", "VACUUM" })
        {
            await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.ExecuteAsync(refused));
        }

        await transaction.ScriptAsync("SAVEPOINT s; INSERT INTO t VALUES (2, 'b'); ROLLBACK TO s; RELEASE s; INSERT INTO t VALUES (3, 'c')");
        await transaction.CommitAsync();
        Assert.Equal("1,3", await cluster.Database(0, Name).QueryScalarAsync<string>("SELECT group_concat(id) FROM t"));
    }

    [Fact]
    public async Task A_statement_that_rolls_everything_back_ends_the_transaction_and_frees_the_writer()
    {
        await using var cluster = await StartAsync();
        await using var transaction = await cluster.Database(1, Name).BeginTransactionAsync();
        await transaction.ExecuteAsync("INSERT INTO t VALUES (1, 'a')");
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.ExecuteAsync("INSERT OR ROLLBACK INTO t VALUES (1, 'b')"));
        Assert.True(transaction.IsEnded);
        await cluster.Database(2, Name).ExecuteAsync("INSERT INTO t VALUES (1, 'other')").InTimeAsync();
    }

    [Fact]
    public async Task A_deferred_foreign_key_is_looked_at_when_it_commits()
    {
        await using var cluster = await StartAsync();
        await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE c (t REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)");
        await using (var transaction = await cluster.Database(0, Name).BeginTransactionAsync())
        {
            await transaction.ExecuteAsync("INSERT INTO c VALUES (7)");
            var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.CommitAsync());
            Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", failure.Code);
            Assert.True(transaction.IsEnded);
        }

        Assert.Equal(0, await cluster.Database(0, Name).QueryScalarAsync<long>("SELECT count(*) FROM c"));
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Apac)]
    public async Task When_the_lease_ends_the_client_is_told_and_others_go_on(int region)
    {
        await using var cluster = await StartAsync();
        await using var transaction = await RawTransaction.BeginAsync(
            cluster.Channel(region), new() { Database = Name, IdleTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMilliseconds(300)) });
        await transaction.AskAsync(RawTransaction.Sql("INSERT INTO t VALUES (1, 'a')"));
        var waiting = cluster.Database(0, Name).ExecuteAsync("INSERT INTO t VALUES (1, 'other')");
        var told = await transaction.NextAsync();
        Assert.Equal(ErrorCodes.TransactionExpired, told!.Failed.Error.Code);
        Assert.True(told.Failed.Ended && told.Failed.Error.Retryable);
        Assert.Null(await transaction.NextAsync());
        await waiting.InTimeAsync();
    }

    [Fact]
    public async Task The_whole_has_its_limit_too_and_stops_what_runs()
    {
        await using var cluster = await StartAsync();
        await using var transaction = await cluster.Database(1, Name).BeginTransactionAsync(new() { TotalTimeout = TimeSpan.FromMilliseconds(400) });
        const string Endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => transaction.ExecuteAsync(Endless).InTimeAsync());
        Assert.Equal(ErrorCodes.TransactionExpired, failure.Code);
        Assert.True(transaction.IsEnded);
        await cluster.Database(0, Name).ExecuteAsync("INSERT INTO t VALUES (1, 'a')").InTimeAsync();
    }

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Apac)]
    public async Task A_client_that_goes_away_rolls_back_and_frees_the_writer(int region)
    {
        await using var cluster = await StartAsync();
        var transaction = await RawTransaction.BeginAsync(cluster.Channel(region), new() { Database = Name, IdleTimeout = _longLease });
        await transaction.AskAsync(RawTransaction.Sql("INSERT INTO t VALUES (1, 'a')"));
        await transaction.DisposeAsync(); // resets the stream, says nothing
        await cluster.Database(0, Name).ExecuteAsync("INSERT INTO t VALUES (1, 'other')").InTimeAsync(_beforeItEnds);
    }

    [Fact]
    public async Task Groups_and_transactions_take_turns_in_the_order_in_which_they_come()
    {
        await using var cluster = await StartAsync();
        var database = cluster.Database(0, Name);
        var first = await database.BeginTransactionAsync();
        var order = new List<string>();
        async Task NoteAsync(string what, Task done)
        {
            await done;
            lock (order)
            {
                order.Add(what);
            }
        }

        async Task TransactAsync(int id)
        {
            await using var transaction = await database.BeginTransactionAsync();
            await transaction.ExecuteAsync($"INSERT INTO t SELECT {id}, (SELECT count(*) FROM t)");
            await transaction.CommitAsync();
        }

        var tasks = new List<Task>();
        for (var i = 0; i < 6; i++)
        {
            var id = i;
            tasks.Add(NoteAsync($"{i}", i % 2 == 0 ? database.ExecuteAsync($"INSERT INTO t SELECT {id}, (SELECT count(*) FROM t)") : TransactAsync(id)));
            await Task.Delay(60); // so that they come in this order
        }

        Assert.DoesNotContain(tasks, task => task.IsCompleted);
        await first.CommitAsync();
        await first.DisposeAsync();
        await Task.WhenAll(tasks).InTimeAsync();
        Assert.Equal("0,1,2,3,4,5", await database.QueryScalarAsync<string>("SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY CAST(v AS INTEGER))"));
    }

    [Fact]
    public async Task Its_key_tells_whether_it_was_committed()
    {
        await using var cluster = await StartAsync();
        var database = cluster.Database(1, Name);
        await using (var transaction = await database.BeginTransactionAsync(new() { IdempotencyKey = "done" }))
        {
            await transaction.ExecuteAsync("INSERT INTO t VALUES (1, 'a')");
            var outcome = database.GetOutcomeAsync("done"); // waits for the end of what it asks about
            await Task.Delay(100);
            Assert.False(outcome.IsCompleted);
            var bookmark = await transaction.CommitAsync();
            Assert.Equal(CommitState.Committed, (await outcome.InTimeAsync()).State);
            Assert.True((await outcome).Bookmark >= bookmark);
        }

        var again = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => database.BeginTransactionAsync(new() { IdempotencyKey = "done" }));
        Assert.Equal(ErrorCodes.IdempotencyKeyReused, again.Code);

        await using (var transaction = await database.BeginTransactionAsync(new() { IdempotencyKey = "left" }))
        {
            await transaction.ExecuteAsync("INSERT INTO t VALUES (2, 'a')");
        }

        Assert.Equal(CommitState.NotCommitted, (await database.GetOutcomeAsync("left")).State);
        var givenUp = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => database.BeginTransactionAsync(new() { IdempotencyKey = "left" }));
        Assert.Equal(ErrorCodes.IdempotencyKeyReused, givenUp.Code);
        Assert.Equal(1, await database.QueryScalarAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task What_cannot_begin_is_told_in_the_stream()
    {
        await using var cluster = await StartAsync();
        foreach (var (first, code) in new[]
        {
            (new TransactRequest { Begin = new() { Database = "nowhere" } }, ErrorCodes.DatabaseNotFound),
            (new TransactRequest { Commit = new() }, ErrorCodes.InvalidRequest),
            (new TransactRequest { Begin = new() { Database = Name, Read = new() { Session = "yesterday" } } }, ErrorCodes.BookmarkMalformed),
            (new TransactRequest { Begin = new() { Database = Name, IdempotencyKey = new string('k', 201) } }, ErrorCodes.InvalidRequest),
            (new TransactRequest { Begin = new() { Database = Name, IdleTimeout = new() } }, ErrorCodes.InvalidRequest),
        })
        {
            for (var region = 0; region < 2; region++)
            {
                await using var transaction = new RawTransaction(cluster.Channel(region));
                await transaction.SendAsync(first);
                var told = await transaction.NextAsync();
                Assert.Equal(code, told!.Failed.Error.Code);
                Assert.True(told.Failed.Ended);
                Assert.Null(await transaction.NextAsync());
            }
        }
    }

    [Fact]
    public async Task A_node_that_stops_does_not_wait_for_idle_transactions()
    {
        await using var cluster = await StartAsync();
        await using var writing = await RawTransaction.BeginAsync(cluster.Channel(0), new() { Database = Name, IdleTimeout = _longLease });
        await using var reading = await RawTransaction.BeginAsync(
            cluster.Channel(1), new() { Database = Name, ReadOnly = true, IdleTimeout = _longLease, Read = new() { Session = "first-unconstrained" } });
        await cluster.StopAsync().InTimeAsync(_beforeItEnds);
    }

    [Fact]
    public async Task Large_results_stream_in_batches()
    {
        await using var cluster = await StartAsync();
        await using var transaction = await cluster.Database(2, Name).BeginTransactionAsync();
        await transaction.ExecuteAsync("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50000) INSERT INTO t SELECT i, 'row ' || i || hex(zeroblob(50)) FROM n");
        var expected = 1;
        await foreach (var row in transaction.StreamAsync("SELECT id, v FROM t ORDER BY id"))
        {
            Assert.Equal(expected++, row.GetInt64(0));
        }

        Assert.Equal(50_001, expected);
        Assert.Equal(50_000, (await transaction.QueryAsync("SELECT id, v FROM t")).Rows.Count); // several messages, one result
        await transaction.CommitAsync();
    }

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync(Name);
        await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        await cluster.SettleAsync(Name);
        return cluster;
    }
}
