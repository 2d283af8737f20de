using System.Data;

namespace ReplicatedSqlite.Client.Tests;

public sealed class ConnectionTests(LiveCluster cluster)
{
    [Fact]
    public async Task A_connection_goes_from_closed_to_open_and_back_and_tells_so()
    {
        await using var connection = new ReplicatedSqliteConnection(await cluster.ConnectionStringAsync());
        var changes = new List<(ConnectionState From, ConnectionState To)>();
        connection.StateChange += (_, change) => changes.Add((change.OriginalState, change.CurrentState));
        Assert.Equal(ConnectionState.Closed, connection.State);
        connection.Open();
        Assert.Equal(ConnectionState.Open, connection.State);
        Assert.Throws<InvalidOperationException>(connection.Open);
        Assert.StartsWith("3.", connection.ServerVersion, StringComparison.Ordinal);
        await connection.CloseAsync();
        connection.Close();
        Assert.Equal([(ConnectionState.Closed, ConnectionState.Open), (ConnectionState.Open, ConnectionState.Closed)], changes);
        Assert.Throws<InvalidOperationException>(() => connection.ServerVersion);
    }

    [Fact]
    public async Task Commands_run_through_data_source_and_connection_sync_and_async()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)");
        await using var connection = await source.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO t (x) VALUES (@a), (@b)";
        command.Parameters.AddWithValue("@a", "one");
        command.Parameters.AddWithValue("b", "two"); // without its prefix, as Microsoft.Data.Sqlite takes it
        command.Parameters.AddWithValue("@unused", 1);
        Assert.Equal(2, command.ExecuteNonQuery());
        Assert.Equal(2, command.LastInsertRowId);
        await using var count = source.CreateCommand("SELECT count(*) FROM t");
        Assert.Equal(2L, count.ExecuteScalar());
        Assert.Equal(2L, await count.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.Equal(-1, await count.ExecuteNonQueryAsync());
        await using var read = source.CreateCommand("SELECT id, x FROM t ORDER BY id");
        await using var reader = await read.ExecuteReaderAsync();
        var rows = new List<(long, string)>();
        while (await reader.ReadAsync()) rows.Add((reader.GetInt64(0), reader.GetString(1)));
        Assert.Equal([(1, "one"), (2, "two")], rows);
        Assert.Equal(-1, reader.RecordsAffected);
    }

    [Fact]
    public async Task Several_statements_are_several_results_of_one_transaction()
    {
        await using var source = await cluster.CreateAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, x)");
        await using var command = source.CreateCommand("INSERT INTO t (x) VALUES ($x); SELECT last_insert_rowid(); UPDATE t SET x = x + 1; SELECT x FROM t; SELECT x FROM t WHERE 0");
        command.Parameters.AddWithValue("$x", 5);
        await using (var reader = command.ExecuteReader())
        {
            Assert.True(reader.Read());
            Assert.Equal(1, reader.GetInt32(0));
            Assert.False(reader.Read());
            Assert.True(reader.NextResult());
            Assert.True(reader.HasRows);
            Assert.True(reader.Read());
            Assert.Equal(6, reader["x"] is long x ? x : 0);
            Assert.True(reader.NextResult());
            Assert.False(reader.HasRows);
            Assert.False(reader.Read());
            Assert.False(reader.NextResult());
            Assert.Equal(2, reader.RecordsAffected);
        }

        Assert.Equal(1, command.LastInsertRowId);
        command.CommandText = "INSERT INTO t (x) VALUES ($x); INSERT INTO nowhere VALUES (1)";
        var e = Assert.Throws<ReplicatedSqliteException>(() => command.ExecuteNonQuery());
        Assert.Equal((1, 1, CommitState.NotCommitted, false), (e.SqliteErrorCode, e.StatementIndex, e.CommitState, e.IsTransient));
        command.CommandText = "SELECT count(*) FROM t";
        Assert.Equal(1L, command.ExecuteScalar());
    }

    [Fact]
    public async Task A_connection_string_that_is_wrong_is_refused_with_the_nearest_keyword()
    {
        var e = Assert.Throws<ArgumentException>(() => new ReplicatedSqliteConnection("Endpoint=127.0.0.1:1;Databse=shop"));
        Assert.Contains("Did you mean 'Database'?", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ReplicatedSqliteDataSource.Create("Endpoint=127.0.0.1:1"));
        Assert.Throws<ArgumentException>(() => ReplicatedSqliteDataSource.Create("Database=shop"));
        Assert.Throws<ArgumentException>(() => ReplicatedSqliteDataSource.Create("Endpoint=127.0.0.1:1;Database=shop;Command Timeout=soon"));
        Assert.Throws<MalformedBookmarkException>(() => ReplicatedSqliteDataSource.Create("Endpoint=127.0.0.1:1;Database=shop;Session=first"));
        await using var connection = new ReplicatedSqliteConnection();
        Assert.Throws<InvalidOperationException>(connection.Open);
    }

    [Fact]
    public void The_builder_reads_what_it_writes()
    {
        var builder = new ReplicatedSqliteConnectionStringBuilder
        {
            Endpoint = "a:1,b:2",
            Database = "shop",
            Session = Session.FirstPrimary,
            Token = "secret",
            Tls = true,
            CommandTimeout = 7,
            BookmarkTimeout = TimeSpan.FromSeconds(1.5),
            OnBookmarkTimeout = OnWaitTimeout.Fail,
            MaxStaleness = TimeSpan.FromSeconds(2),
            IdempotentWrites = true,
        };
        var again = new ReplicatedSqliteConnectionStringBuilder(builder.ConnectionString);
        Assert.Equal((builder.Endpoint, builder.Database, builder.Session, builder.Token), (again.Endpoint, again.Database, again.Session, again.Token));
        Assert.Equal((true, 7, TimeSpan.FromSeconds(1.5), OnWaitTimeout.Fail), (again.Tls, again.CommandTimeout, again.BookmarkTimeout, again.OnBookmarkTimeout));
        Assert.Equal((TimeSpan.FromSeconds(2), true), (again.MaxStaleness, again.IdempotentWrites));
        Assert.Equal(["https://a:1/", "https://b:2/"], again.Addresses().Select(address => address.ToString()));
        Assert.Equal(30, new ReplicatedSqliteConnectionStringBuilder("Data Source=a:1").CommandTimeout);
        Assert.Equal("a:1", new ReplicatedSqliteConnectionStringBuilder("Data Source=a:1")["endpoint"]);
        using var source = ReplicatedSqliteDataSource.Create("Endpoint=127.0.0.1:1;Database=shop;Token=secret");
        Assert.DoesNotContain("secret", source.ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ambient_transactions_are_refused_with_a_reason()
    {
        await using var source = await cluster.CreateAsync();
        using (new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled))
        {
            Assert.Contains("BeginTransaction", Assert.Throws<NotSupportedException>(source.OpenConnection).Message, StringComparison.Ordinal);
        }

        await using var connection = await source.OpenConnectionAsync();
        using var transaction = new System.Transactions.CommittableTransaction();
        Assert.Throws<NotSupportedException>(() => connection.EnlistTransaction(transaction));
    }
}
