namespace ReplicatedSqlite.Client.Tests;

public sealed class SessionConnectionTests(LiveCluster cluster)
{
    [Fact]
    public async Task A_session_lasts_from_open_to_close_and_the_pool_carries_no_bookmark_over()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        var text = $"Endpoint={cluster.Endpoints[1]};Database={maker.Database};Session=first-primary";
        await using var connection = new ReplicatedSqliteConnection(text);
        connection.Open();
        Assert.Null(connection.Bookmark);
        await RunAsync(connection, "INSERT INTO t VALUES (1)");
        var written = connection.Bookmark;
        Assert.NotNull(written);
        Assert.Equal(1L, await ScalarAsync(connection, "SELECT count(*) FROM t")); // read your writes, on a replica
        connection.Close();
        connection.Open();
        Assert.Null(connection.Bookmark);
        await using var other = new ReplicatedSqliteConnection(text);
        other.Open();
        Assert.Null(other.Bookmark);
    }

    [Fact]
    public async Task A_streamed_write_that_is_left_early_is_seen_by_its_session_in_every_region()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        for (var region = 0; region < 3; region++)
        {
            await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={cluster.Endpoints[region]};Database={maker.Database}");
            var session = source.WithSession(Session.FirstPrimary);
            await foreach (var row in session.StreamAsync("INSERT INTO t VALUES (1), (2), (3) RETURNING x"))
            {
                Assert.Equal(1L, row[0]);
                break;
            }

            Assert.NotNull(session.Bookmark);
            for (var other = 0; other < 3; other++)
            {
                await using var near = ReplicatedSqliteDataSource.Create($"Endpoint={cluster.Endpoints[other]};Database={maker.Database}");
                Assert.Equal((region + 1) * 3L, await near.WithSession(session.Bookmark.Value).QueryScalarAsync<long>("SELECT count(*) FROM t"));
            }
        }
    }

    [Fact]
    public async Task Without_a_session_every_command_is_asked_at_the_primary()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var near = ReplicatedSqliteDataSource.Create($"Endpoint={cluster.Endpoints[2]};Database={maker.Database}");
        for (var i = 1L; i <= 20; i++)
        {
            await using var insert = maker.CreateCommand("INSERT INTO t VALUES (1)");
            await insert.ExecuteNonQueryAsync();
            await using var count = near.CreateCommand("SELECT count(*) FROM t");
            Assert.Equal(i, await count.ExecuteScalarAsync());
        }
    }

    [Fact]
    public async Task One_session_is_shared_by_connections_threads_and_the_fluent_form()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x)");
        await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={cluster.Endpoints[2]};Database={maker.Database}");
        var session = source.WithSession(Session.FirstPrimary);
        var seen = new System.Collections.Concurrent.ConcurrentQueue<Bookmark>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            await using var connection = await source.OpenConnectionAsync(session);
            for (var k = 0; k < 5; k++)
            {
                await RunAsync(connection, $"INSERT INTO t (x) VALUES ({i})");
                seen.Enqueue(connection.Bookmark!.Value);
            }
        }));
        Assert.True(session.Bookmark >= seen.Max());
        Assert.Equal(40, await session.Prepare("SELECT count(*) FROM t").FirstAsync<long>());
        var later = Bookmark.Max(session.Bookmark!.Value, Bookmark.Start);
        Assert.Equal(later, Bookmark.Parse(later.ToString()));

        await using var opened = await source.OpenConnectionAsync();
        var joined = opened.WithSession(later);
        Assert.Same(joined, opened.Session);
        Assert.Equal(40L, await ScalarAsync(opened, "SELECT count(*) FROM t"));
        Assert.True(joined.Bookmark >= later);
    }

    [Fact]
    public async Task The_fluent_form_binds_runs_maps_and_batches()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total REAL, placed TEXT, state INTEGER)");
        var session = source.WithSession(Session.FirstPrimary);
        var insert = session.Prepare("INSERT INTO orders (customer_id, total, placed, state) VALUES (?, ?, ?, ?)");
        var meta = await insert.Bind(7, 19.5, new DateOnly(2026, 1, 2), State.Sent).RunAsync();
        Assert.Equal((1, 1), (meta.Changes, meta.LastRowId));
        var response = await session.BatchAsync([insert.Bind(7, null, null, null), insert.Bind(8, 1m, "2026-01-03", 0), session.Prepare("SELECT count(*) FROM orders")]);
        Assert.Equal(3, response.Results[2].Rows[0].GetInt64(0));
        var all = await session.Prepare("SELECT id, customer_id, total, placed, state FROM orders WHERE customer_id = :c ORDER BY id").Bind(SqlParameters.Named(("c", 7))).AllAsync<Order>();
        Assert.Equal([new Order(1, 7, 19.5, new DateOnly(2026, 1, 2), State.Sent), new Order(2, 7, null, null, null)], all);
        Assert.True(all.Bookmark >= response.Bookmark);
        Assert.Equal([1L, 2, 3], await session.Prepare("SELECT id FROM orders ORDER BY id").AllAsync<long>());
        Assert.Equal(19.5, await session.Prepare("SELECT * FROM orders WHERE id = 1").FirstAsync<double>("total"));
        Assert.Null(await session.Prepare("SELECT * FROM orders WHERE id = 99").FirstAsync<Order>());
        var written = (await session.Prepare("SELECT id, customer_id, total FROM orders ORDER BY id").AllAsync<Settable>())[1];
        Assert.Equal((2, 7, 5.0), (written.Id, written.CustomerId, written.Total)); // NULL leaves the property as it was
        Assert.Equal([[1L, "2026-01-02"]], await session.Prepare("SELECT id, placed FROM orders LIMIT 1").RawAsync());
        Assert.Equal(7L, (await session.Prepare("SELECT customer_id FROM orders").FirstAsync<IReadOnlyDictionary<string, object?>>())!["Customer_Id"]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.Prepare("SELECT 1 AS one").AllAsync<Order>());
    }

    private static async Task RunAsync(ReplicatedSqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> ScalarAsync(ReplicatedSqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    private enum State
    {
        New,
        Sent,
    }

    private sealed record Order(long Id, int CustomerId, double? Total, DateOnly? Placed, State? State);

    private sealed class Settable
    {
        public int Id { get; set; }

        public long CustomerId { get; set; }

        public double Total { get; set; } = 5;
    }
}
