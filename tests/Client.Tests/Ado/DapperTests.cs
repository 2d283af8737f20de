using Dapper;

namespace ReplicatedSqlite.Client.Tests;

public sealed class DapperTests(LiveCluster cluster)
{
    private const string Tables = """
        CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers, total REAL);
        """;

    [Fact]
    public async Task Queries_parameters_lists_and_scalars()
    {
        await using var source = await cluster.CreateAsync(Tables);
        await using var connection = await source.OpenConnectionAsync();
        var id = connection.ExecuteScalar<long>("INSERT INTO customers (name) VALUES (@Name); SELECT last_insert_rowid()", new { Name = "Ada" });
        Assert.Equal(1, id);
        Assert.Equal(3, connection.Execute("INSERT INTO orders (customer_id, total) VALUES (@id, @total)", new[] { new { id, total = 1.5 }, new { id, total = 2.5 }, new { id, total = 3.5 } }));
        Assert.Equal([1.5, 3.5], await connection.QueryAsync<double>("SELECT total FROM orders WHERE id IN @ids ORDER BY id", new { ids = new[] { 1, 3 } }));
        Assert.Equal("Ada", connection.QuerySingle<Customer>("SELECT id, name FROM customers").Name);
        Assert.Null(await connection.QueryFirstOrDefaultAsync<Customer>("SELECT id, name FROM customers WHERE id = @id", new { id = 99 }));
        var row = connection.QueryFirst("SELECT id, name FROM customers");
        Assert.Equal("Ada", (string)row.name);
        Assert.Equal(7.5, await connection.ExecuteScalarAsync<double>("SELECT sum(total) FROM orders"));
        Assert.Equal([1L, 2L, 3L], connection.Query<long>("SELECT id FROM orders", buffered: false));
        var unbuffered = new List<long>();
        await foreach (var order in connection.QueryUnbufferedAsync<long>("SELECT id FROM orders")) unbuffered.Add(order);
        Assert.Equal([1, 2, 3], unbuffered);
    }

    [Fact]
    public async Task Multi_mapping_and_several_results()
    {
        await using var source = await cluster.CreateAsync(Tables + "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob'); INSERT INTO orders VALUES (1, 1, 5), (2, 2, 6), (3, 1, 7)");
        await using var connection = await source.OpenConnectionAsync();
        var joined = await connection.QueryAsync<Order, Customer, (long, string)>(
            "SELECT o.id, o.total, c.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id", (order, customer) => (order.Id, customer.Name), splitOn: "id");
        Assert.Equal([(1, "Ada"), (2, "Bob"), (3, "Ada")], joined);
        await using var results = await connection.QueryMultipleAsync("SELECT name FROM customers ORDER BY id; SELECT count(*) FROM orders; SELECT total FROM orders WHERE customer_id = @c", new { c = 1 });
        Assert.Equal(["Ada", "Bob"], await results.ReadAsync<string>());
        Assert.Equal(3, await results.ReadSingleAsync<long>());
        Assert.Equal([5.0, 7.0], results.Read<double>());
    }

    [Fact]
    public async Task Transactions_and_types()
    {
        await using var source = await cluster.CreateAsync(Tables + "CREATE TABLE typed (g TEXT, d TEXT, n TEXT, b INTEGER, x BLOB, e INTEGER, m TEXT)");
        await using var connection = await source.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.ExecuteAsync("INSERT INTO customers (name) VALUES ('x')", transaction: transaction);
            Assert.Equal(1, await connection.QuerySingleAsync<int>("SELECT count(*) FROM customers", transaction: transaction));
        }

        Assert.Equal(0, connection.QuerySingle<int>("SELECT count(*) FROM customers"));
        var typed = new Typed(new DateTime(2026, 1, 2, 3, 4, 5), null, true, [1, 2], DayOfWeek.Friday);
        connection.Execute("INSERT INTO typed (d, n, b, x, e) VALUES (@D, @N, @B, @X, @E)", typed);
        var row = connection.QuerySingle("SELECT d, n, b, x, e FROM typed");
        Assert.Equal(("2026-01-02 03:04:05", null, 1L, 5L), ((string)row.d, (object?)row.n, (long)row.b, (long)row.e));
        Assert.Equal([1, 2], (byte[])row.x);
        Assert.Equal(new DateTime(2026, 1, 2, 3, 4, 5), connection.QuerySingle<DateTime>("SELECT d FROM typed"));
        Assert.Equal(DayOfWeek.Friday, connection.QuerySingle<DayOfWeek>("SELECT e FROM typed"));
        Assert.True(connection.QuerySingle<bool>("SELECT b FROM typed"));
    }

    private sealed class Customer
    {
        public long Id { get; set; }

        public string Name { get; set; } = "";
    }

    private sealed class Order
    {
        public long Id { get; set; }

        public double Total { get; set; }
    }

    private sealed record Typed(DateTime D, string? N, bool B, byte[] X, DayOfWeek E);
}
