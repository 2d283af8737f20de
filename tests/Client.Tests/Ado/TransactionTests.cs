using System.Data;

namespace ReplicatedSqlite.Client.Tests;

public sealed class TransactionTests(LiveCluster cluster)
{
    [Fact]
    public async Task A_transaction_commits_rolls_back_and_rolls_back_when_disposed()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var connection = await source.OpenConnectionAsync();
        using (var transaction = connection.BeginTransaction())
        {
            Assert.Equal(IsolationLevel.Serializable, transaction.IsolationLevel);
            Assert.Throws<InvalidOperationException>(() => connection.BeginTransaction());
            Insert(connection, 1);
            Assert.Equal(1L, Count(connection));
            transaction.Commit();
            Assert.Null(transaction.Connection);
            Assert.Throws<InvalidOperationException>(transaction.Commit);
            Assert.Throws<InvalidOperationException>(transaction.Rollback);
        }

        await using (await connection.BeginTransactionAsync()) Insert(connection, 2);
        Assert.Equal(1L, Count(connection));
        await using (var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadUncommitted))
        {
            Insert(connection, 3);
            await transaction.RollbackAsync();
        }

        Assert.Equal(1L, Count(connection));
        connection.BeginTransaction();
        Insert(connection, 4);
        connection.Close(); // rolls back
        connection.Open();
        Assert.Equal(1L, Count(connection));
    }

    [Fact]
    public async Task Savepoints_are_set_gone_back_to_and_released()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Assert.True(transaction.SupportsSavepoints);
        Insert(connection, 1);
        transaction.Save("a \"b\"");
        Insert(connection, 2);
        transaction.Rollback("a \"b\"");
        await transaction.SaveAsync("c");
        Insert(connection, 3);
        await transaction.ReleaseAsync("c");
        Assert.Throws<ReplicatedSqliteException>(() => transaction.Rollback("c"));
        await transaction.CommitAsync();
        Assert.Equal(2L, Count(connection));
    }

    [Fact]
    public async Task A_snapshot_reads_at_the_nearest_copy_and_stays_where_it_began()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var writer = await source.OpenConnectionAsync();
        Insert(writer, 1);
        var bookmark = await cluster.Admin.GetBookmarkAsync(source.Database);
        await using var far = ReplicatedSqliteDataSource.Create($"Endpoint={cluster.Endpoints[2]};Database={source.Database}");
        await using var connection = await far.OpenConnectionAsync(far.WithSession(bookmark));
        await using var transaction = connection.BeginTransaction(IsolationLevel.Snapshot);
        Assert.Equal(IsolationLevel.Snapshot, transaction.IsolationLevel);
        Assert.Equal(1L, Count(connection));
        Insert(writer, 2);
        Assert.Equal(1L, Count(connection));
        Assert.Throws<ReplicatedSqliteException>(() => Insert(connection, 3));
        Assert.Equal(1L, Count(connection));
    }

    [Fact]
    public async Task A_command_has_to_be_in_its_connections_transaction()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var connection = await source.OpenConnectionAsync();
        await using var other = await source.OpenConnectionAsync();
        await using var before = connection.CreateCommand();
        before.CommandText = "SELECT 1";
        await using (var transaction = connection.BeginTransaction())
        {
            Assert.Contains("Set the command's Transaction", Assert.Throws<InvalidOperationException>(() => before.ExecuteScalar()).Message, StringComparison.Ordinal);
            before.Transaction = transaction;
            Assert.Equal(1L, before.ExecuteScalar());
            await using var elsewhere = new ReplicatedSqliteCommand("SELECT 1", other, transaction);
            Assert.Throws<InvalidOperationException>(() => elsewhere.ExecuteScalar());
        }

        Assert.Throws<InvalidOperationException>(() => before.ExecuteScalar());
    }

    [Fact]
    public async Task A_failing_statement_is_undone_alone_and_commands_run_beside_an_open_reader()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (x PRIMARY KEY); INSERT INTO t SELECT value FROM json_each('[1,2,3]')");
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var e = Assert.Throws<ReplicatedSqliteException>(() => Insert(connection, 1));
        Assert.Equal((19, 1555, "SQLITE_CONSTRAINT_PRIMARYKEY"), (e.SqliteErrorCode, e.SqliteExtendedErrorCode, e.Code));
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT x FROM t ORDER BY x";
        var seen = new List<long>();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                seen.Add(reader.GetInt64(0));
                Insert(connection, reader.GetInt64(0) + 10);
            }
        }

        Assert.Equal([1, 2, 3], seen);
        await transaction.CommitAsync();
        Assert.Equal(6L, Count(connection));
    }

    [Fact]
    public async Task A_batch_is_one_transaction_and_tells_what_each_command_did()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x NOT NULL)");
        await using var connection = await source.OpenConnectionAsync();
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add("INSERT INTO t (x) VALUES (@x)").Parameters.AddWithValue("@x", 7);
        batch.BatchCommands.Add("UPDATE t SET x = x + 1; DELETE FROM t WHERE x = 100");
        batch.BatchCommands.Add("SELECT x FROM t");
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal(8, reader.GetInt32(0));
            Assert.False(await reader.NextResultAsync());
        }

        Assert.Equal([1, 1, -1], batch.BatchCommands.Select(command => command.RecordsAffected));
        Assert.Equal(1, batch.BatchCommands[0].LastInsertRowId);
        batch.BatchCommands.Clear();
        batch.BatchCommands.Add("INSERT INTO t (x) VALUES (1)");
        batch.BatchCommands.Add("INSERT INTO t (x) VALUES (NULL)");
        var e = Assert.Throws<ReplicatedSqliteException>(() => batch.ExecuteNonQuery());
        Assert.Equal((1, "SQLITE_CONSTRAINT_NOTNULL"), (e.StatementIndex, e.Code));
        Assert.Equal(1L, Count(connection));
        await using var transaction = connection.BeginTransaction();
        batch.BatchCommands.RemoveAt(1);
        Assert.Throws<InvalidOperationException>(() => batch.ExecuteNonQuery());
        batch.Transaction = transaction;
        Assert.Equal(1, batch.ExecuteNonQuery());
        Assert.Equal(2L, Count(connection));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_commit_whose_answer_is_lost_is_resolved_by_its_key(bool arrives)
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var proxy = new PausableProxy(cluster.Endpoints[0]);
        await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={proxy.Endpoint};Database={maker.Database};Idempotent Writes=true;Retry Timeout=30");
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Insert(connection, 1);
        var lost = arrives ? proxy.LoseAnswers() : proxy.LoseRequests();
        var commit = transaction.CommitAsync();
        await lost.WaitAsync(TimeSpan.FromSeconds(60));
        await using var count = maker.CreateCommand("SELECT count(*) FROM t");
        if (arrives) await Until(async () => (long)(await count.ExecuteScalarAsync())! == 1); // it is committed, and only the client does not know
        Assert.False(commit.IsCompleted);
        proxy.Break();
        if (arrives)
        {
            await commit;
            Assert.True(transaction.Bookmark > default(Bookmark));
        }
        else
        {
            var e = await Assert.ThrowsAsync<UnavailableException>(() => commit);
            Assert.Equal((CommitState.NotCommitted, true), (e.CommitState, e.IsTransient)); // final: the same again does it once
        }

        Assert.Null(transaction.Connection);
        Assert.Equal(arrives ? 1L : 0L, await count.ExecuteScalarAsync());
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_of_unknown_outcome_without_a_key()
    {
        await using var maker = await cluster.CreateAsync("CREATE TABLE t (x)");
        await using var proxy = new PausableProxy(cluster.Endpoints[0]);
        await using var source = ReplicatedSqliteDataSource.Create($"Endpoint={proxy.Endpoint};Database={maker.Database}");
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Insert(connection, 1);
        var lost = proxy.LoseAnswers();
        var commit = transaction.CommitAsync();
        await lost.WaitAsync(TimeSpan.FromSeconds(60));
        proxy.Break();
        var e = await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => commit);
        Assert.Equal((CommitState.Unknown, false), (e.CommitState, e.IsTransient));
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition()) await Task.Delay(5, patience.Token);
    }

    private static void Insert(ReplicatedSqliteConnection connection, long x)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO t (x) VALUES (@x)";
        command.Parameters.AddWithValue("@x", x);
        Assert.Equal(1, command.ExecuteNonQuery());
    }

    private static object? Count(ReplicatedSqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM t";
        return command.ExecuteScalar();
    }
}
