using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Writes with idempotency keys: they run once, whoever repeats them and wherever.</summary>
public sealed class IdempotencyTests
{
    private const string Name = "keys";

    [Fact]
    public async Task A_retry_gets_the_first_answer_in_every_region_and_after_a_restart()
    {
        await using var cluster = await StartAsync();
        var options = new QueryOptions { IdempotencyKey = "order 1" };
        const string Sql = "INSERT INTO t (v) VALUES (:a), (:b) RETURNING id, v";
        var first = await cluster.Database(1, Name).ExecuteAsync(Sql, SqlParameters.Named(("a", 1), ("b", "x")), options);
        Assert.False(first.Replayed);
        async Task RetryAsync()
        {
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                var retry = await cluster.Database(region, Name).ExecuteAsync(Sql, SqlParameters.Named(("b", "x"), ("a", 1)), options);
                Assert.True(retry.Replayed);
                Assert.True(retry.Bookmark >= first.Bookmark);
                Assert.Equal(first.First.Meta, retry.First.Meta);
                Assert.Equal(["1|1", "2|x"], retry.First.Rows.Select(row => $"{row[0]}|{row[1]}"));
            }
        }

        await RetryAsync();
        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        await RetryAsync();
        Assert.Equal(2, await CountAsync(cluster));
    }

    [Fact]
    public async Task A_stream_is_replayed_part_by_part()
    {
        await using var cluster = await StartAsync();
        var options = new QueryOptions { IdempotencyKey = "stream", BatchRows = 1 };
        SqlStatement[] statements = ["INSERT INTO t (v) VALUES (1), (2), (3) RETURNING id", "SELECT count(*) FROM t"];
        var first = await PartsAsync(cluster.Database(0, Name).StreamBatchAsync(statements, options));
        var retry = await PartsAsync(cluster.Database(2, Name).StreamBatchAsync(statements, options));
        Assert.Equal("start rows rows rows end start rows end done", first);
        Assert.Equal(first + " replayed", retry);
        Assert.Equal(3, await CountAsync(cluster));
    }

    [Fact]
    public async Task A_retry_of_what_changed_the_schema_is_not_refused_for_what_it_did()
    {
        await using var cluster = await StartAsync();
        foreach (var sql in new[] { "CREATE TABLE once (a)", "ALTER TABLE once ADD COLUMN b", "DROP TABLE once" })
        {
            var options = new QueryOptions { IdempotencyKey = sql };
            Assert.False((await cluster.Database(1, Name).ExecuteAsync(sql, null, options)).Replayed);
            await cluster.SettleAsync(Name);
            for (var region = 0; region < 2; region++)
            {
                Assert.True((await cluster.Database(region, Name).WithSession(Session.FirstUnconstrained).ExecuteAsync(sql, null, options)).Replayed);
            }
        }
    }

    [Fact]
    public async Task Another_request_under_the_key_is_refused()
    {
        await using var cluster = await StartAsync();
        var options = new QueryOptions { IdempotencyKey = "k" };
        await cluster.Database(0, Name).ExecuteAsync("INSERT INTO t (v) VALUES (?)", [1], options);
        var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(1, Name).ExecuteAsync("INSERT INTO t (v) VALUES (?)", [2], options));
        Assert.Equal(ErrorCodes.IdempotencyKeyReused, refused.Code);
        Assert.Equal(CommitState.NotCommitted, refused.CommitState);
        Assert.NotNull(refused.Bookmark);
        Assert.Equal(1, await CountAsync(cluster));
    }

    [Fact]
    public async Task What_failed_or_only_read_leaves_the_key_free()
    {
        await using var cluster = await StartAsync();
        var options = new QueryOptions { IdempotencyKey = "k" };
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(1, Name).ExecuteAsync("INSERT INTO nowhere VALUES (1)", null, options));
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(1, Name).ExecuteAsync("INSERT INTO t (id) VALUES ('no number')", null, options));
        Assert.False((await cluster.Database(1, Name).ExecuteAsync("SELECT 1", null, options)).Replayed);
        Assert.False((await cluster.Database(1, Name).ExecuteAsync("INSERT INTO t (v) VALUES (1)", null, options)).Replayed);
    }

    [Fact]
    public async Task Concurrent_retries_run_once()
    {
        await using var cluster = await StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => cluster.Database(i % 3, Name).ExecuteAsync(
            "INSERT INTO t (v) VALUES (?) RETURNING id", [i / 6], new() { IdempotencyKey = $"key {i / 6}" })));
        Assert.Equal(50, answers.Count(answer => !answer.Replayed));
        Assert.Equal(50, await CountAsync(cluster));
        foreach (var same in answers.Chunk(6))
        {
            Assert.Single(same.Select(answer => answer.First.Rows[0].GetInt64(0)).Distinct());
        }
    }

    [Fact]
    public async Task A_large_result_is_replayed_without_its_rows()
    {
        await using var cluster = await StartAsync();
        var options = new QueryOptions { IdempotencyKey = "large" };
        const string Sql = "INSERT INTO t (v) VALUES (zeroblob(70000)) RETURNING v";
        var first = await cluster.Database(0, Name).ExecuteAsync(Sql, null, options);
        var retry = await cluster.Database(1, Name).ExecuteAsync(Sql, null, options);
        Assert.True(retry.Replayed);
        Assert.Equal(first.First.Meta, retry.First.Meta);
        Assert.Empty(retry.First.Rows);
    }

    [Fact]
    public async Task An_outcome_is_final()
    {
        await using var cluster = await StartAsync();
        var database = cluster.Database(2, Name);
        var written = await database.ExecuteAsync("INSERT INTO t (v) VALUES (1)", null, new() { IdempotencyKey = "was" });
        var (state, bookmark) = await database.GetOutcomeAsync("was");
        Assert.Equal(CommitState.Committed, state);
        Assert.True(bookmark >= written.Bookmark);

        Assert.Equal(CommitState.NotCommitted, (await database.GetOutcomeAsync("never")).State);
        Assert.Equal(CommitState.NotCommitted, (await cluster.Database(0, Name).GetOutcomeAsync("never")).State);
        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        var late = await Assert.ThrowsAsync<ReplicatedSqliteException>(
            () => cluster.Database(1, Name).ExecuteAsync("INSERT INTO t (v) VALUES (2)", null, new() { IdempotencyKey = "never" }));
        Assert.Equal(ErrorCodes.IdempotencyKeyReused, late.Code);
        Assert.Equal(1, await CountAsync(cluster));
    }

    [Fact]
    public async Task An_original_and_a_question_about_it_never_contradict_each_other()
    {
        await using var cluster = await StartAsync();
        for (var i = 0; i < 60; i++)
        {
            var key = $"race {i}";
            var write = cluster.Database(i % 3, Name).ExecuteAsync("INSERT INTO t (v) VALUES (?)", [key], new() { IdempotencyKey = key });
            var question = cluster.Database((i + 1) % 3, Name).GetOutcomeAsync(key);
            var committed = (await question.InTimeAsync()).State == CommitState.Committed;
            var succeeded = await write.ContinueWith(task => task.IsCompletedSuccessfully, TaskScheduler.Default);
            Assert.Equal(committed, succeeded);
            Assert.Equal(committed ? 1 : 0, await cluster.Database(0, Name).QueryScalarAsync<long>("SELECT count(*) FROM t WHERE v = ?", [key]));
        }
    }

    [Fact]
    public async Task Keys_that_are_none_are_refused()
    {
        await using var cluster = await StartAsync();
        foreach (var key in new[] { new string('k', 201), new string('ü', 101), "a\0b" })
        {
            var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(
                () => cluster.Database(1, Name).ExecuteAsync("INSERT INTO t (v) VALUES (1)", null, new() { IdempotencyKey = key }));
            Assert.Equal(ErrorCodes.InvalidRequest, refused.Code);
            Assert.Equal(ErrorCodes.InvalidRequest, (await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(1, Name).GetOutcomeAsync(key))).Code);
        }

        await cluster.Database(1, Name).ExecuteAsync("INSERT INTO t (v) VALUES (1)", null, new() { IdempotencyKey = new string('k', 200) });
        var vacuum = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(1, Name).ExecuteAsync("VACUUM", null, new() { IdempotencyKey = "v" }));
        Assert.Equal(ErrorCodes.InvalidRequest, vacuum.Code);
    }

    [Fact]
    public async Task Old_keys_lose_their_force_and_those_beyond_the_limit_go()
    {
        await using var cluster = await StartAsync(primary => primary with { IdempotencyRetention = TimeSpan.FromMilliseconds(700), MaxIdempotencyKeys = 5 });
        var database = cluster.Database(0, Name);
        async Task<bool> WriteAsync(string key) => (await database.ExecuteAsync("INSERT INTO t (v) VALUES (1)", null, new() { IdempotencyKey = key })).Replayed;
        Assert.False(await WriteAsync("old"));
        Assert.True(await WriteAsync("old"));
        await Task.Delay(800);
        Assert.False(await WriteAsync("old")); // another request, by now
        for (var i = 0; i < 20; i++)
        {
            Assert.False(await WriteAsync($"{i}"));
        }

        Assert.True(await WriteAsync("19"));
        Assert.False(await WriteAsync("0")); // the oldest went, since five are kept
    }

    private static async Task<string> PartsAsync(IAsyncEnumerable<StreamPart> parts)
    {
        var kinds = new List<string>();
        await foreach (var part in parts)
        {
            kinds.Add(part switch
            {
                ResultStart => "start",
                ResultRows => "rows",
                ResultEnd => "end",
                StreamDone { Replayed: true } => "done replayed",
                _ => "done",
            });
        }

        return string.Join(' ', kinds);
    }

    private static Task<long> CountAsync(ClusterFixture cluster) => cluster.Database(0, Name).QueryScalarAsync<long>("SELECT count(*) FROM t");

    private static async Task<ClusterFixture> StartAsync(Func<Primary.PrimaryOptions, Primary.PrimaryOptions>? configure = null)
    {
        var cluster = await ClusterFixture.StartAsync(
            options => configure is null ? options : options with { Configure = node => node with { Primary = configure(node.Primary) } });
        await cluster.Client(0).Admin.CreateDatabaseAsync(Name);
        await cluster.Database(0, Name).ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        return cluster;
    }
}
