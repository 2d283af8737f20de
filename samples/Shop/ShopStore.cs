namespace ReplicatedSqlite.Samples.Shop;

/// <summary>What the shop asks its database, in the session of the request.</summary>
internal sealed class ShopStore(Session session, ReplicatedSqliteDataSource dataSource)
{
    public async Task<IReadOnlyList<Product>> ProductsAsync(CancellationToken cancellationToken) =>
        await session.Prepare("SELECT id, name, price_cents FROM products ORDER BY name").AllAsync<Product>(cancellationToken);

    /// <summary>The customer's orders, the newest first: also the one that was placed a moment ago through another region.</summary>
    public async Task<QueryResult<Order>> OrdersAsync(long customer, CancellationToken cancellationToken) =>
        await session.Prepare("""
            SELECT o.id, p.name AS product, o.placed_at FROM shop_orders o JOIN products p ON p.id = o.product_id
            WHERE o.customer_id = ? ORDER BY o.id DESC LIMIT 20
            """).Bind(customer).AllAsync<Order>(cancellationToken);

    public async Task<long> OrderAsync(long customer, long product, CancellationToken cancellationToken) =>
        (await session.Prepare("INSERT INTO shop_orders (customer_id, product_id, placed_at) VALUES (?, ?, datetime('now'))").Bind(customer, product).RunAsync(cancellationToken)).LastRowId;

    /// <summary>Makes the database and its tables where they are missing.</summary>
    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await dataSource.Admin.CreateDatabaseAsync(dataSource.Database, cancellationToken: cancellationToken);
        }
        catch (ReplicatedSqliteException e) when (e.Code == "DATABASE_EXISTS")
        {
            // From an earlier run.
        }

        await session.ScriptAsync("""
            CREATE TABLE IF NOT EXISTS products (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, price_cents INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS shop_orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, product_id INTEGER NOT NULL REFERENCES products, placed_at TEXT NOT NULL);
            CREATE INDEX IF NOT EXISTS shop_orders_by_customer ON shop_orders (customer_id);
            INSERT OR IGNORE INTO products (name, price_cents) VALUES ('Lamp', 4900), ('Table', 19900), ('Chair', 8900);
            """, cancellationToken: cancellationToken);
    }
}
