namespace ReplicatedSqlite.Node;

/// <summary>What the demo's customers do: order something, and look at their orders.</summary>
internal abstract class DemoShop
{
    private const string BroughtAlong = "shop.sql";

    /// <summary>Loads a file, or the shop that is brought along, through one region.</summary>
    /// <returns>The shop and a session that has seen all that was loaded; null after an error that is written.</returns>
    public static async Task<(DemoShop Shop, Session Session)?> LoadAsync(
        ReplicatedDatabase through, string? sqlFile, TextWriter error, CancellationToken cancellationToken)
    {
        var session = sqlFile is null
            ? await Cli.SqlFile.LoadAsync(through, BroughtAlong, await ReadBroughtAlongAsync(), error, cancellationToken)
            : await Cli.SqlFile.LoadFileAsync(through, sqlFile, error, cancellationToken);
        if (session is null)
        {
            return null;
        }

        DemoShop shop = sqlFile is null ? new ShopTables() : await OwnTable.CreateAsync(session, Path.GetFileName(sqlFile), cancellationToken);
        return (shop, session);
    }

    /// <summary>What was loaded, in a few words.</summary>
    public abstract Task<string> DescribeAsync(SqlExecutor reader, CancellationToken cancellationToken);

    /// <summary>Places an order.</summary>
    /// <returns>Its number, and the answer.</returns>
    public abstract Task<(long Order, SqlResponse Answer)> OrderAsync(SqlExecutor through, CancellationToken cancellationToken);

    /// <summary>The customer's orders, the newest first: number and article.</summary>
    public abstract Task<SqlResponse> ListAsync(SqlExecutor reader, CancellationToken cancellationToken);

    private static async Task<string> ReadBroughtAlongAsync()
    {
        using var reader = new StreamReader(typeof(DemoShop).Assembly.GetManifestResourceStream(BroughtAlong)!);
        return await reader.ReadToEndAsync();
    }

    /// <summary>The tables of samples/shop.sql.</summary>
    private sealed class ShopTables : DemoShop
    {
        private const int Customer = 7;
        private const int Products = 24;
        private int _orders;

        public override async Task<string> DescribeAsync(SqlExecutor reader, CancellationToken cancellationToken)
        {
            var counts = await reader.QueryAsync(
                "SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM customers), (SELECT count(*) FROM orders)", cancellationToken: cancellationToken);
            var row = counts.Rows[0];
            return $"{row.GetInt64(0)} products, {row.GetInt64(1)} customers, {row.GetInt64(2)} orders";
        }

        public override async Task<(long Order, SqlResponse Answer)> OrderAsync(SqlExecutor through, CancellationToken cancellationToken)
        {
            var product = 1 + (_orders++ % Products);
            var answer = await through.BatchAsync(
                [
                    new("INSERT INTO orders (customer_id) VALUES (?)", [Customer]),
                    new("INSERT INTO order_items SELECT last_insert_rowid(), id, 1, price_cents FROM products WHERE id = ?", [product]),
                ],
                cancellationToken: cancellationToken);
            return (answer.First.Meta.LastRowId, answer);
        }

        public override Task<SqlResponse> ListAsync(SqlExecutor reader, CancellationToken cancellationToken) =>
            reader.ExecuteAsync(
                "SELECT orders.id, products.name FROM orders JOIN order_items ON order_id = orders.id JOIN products ON product_id = products.id "
                + "WHERE customer_id = ? ORDER BY orders.id DESC LIMIT 10",
                [Customer],
                cancellationToken: cancellationToken);
    }

    /// <summary>A table beside whatever the user's file brought.</summary>
    private sealed class OwnTable(string table, string file) : DemoShop
    {
        private static readonly string[] _articles = ["Coffee grinder", "Pour-over kettle", "Espresso cups", "Milk frother", "French press"];
        private int _orders;

        public static async Task<OwnTable> CreateAsync(Session session, string file, CancellationToken cancellationToken)
        {
            var names = await session.QueryAsync("SELECT lower(name) FROM sqlite_schema WHERE name LIKE 'demo\\_orders%' ESCAPE '\\'", cancellationToken: cancellationToken);
            var taken = names.Rows.Select(row => row.GetString(0)).ToHashSet();
            var name = Enumerable.Range(1, taken.Count + 1).Select(i => i == 1 ? "demo_orders" : $"demo_orders_{i}").First(candidate => !taken.Contains(candidate));
            await session.ExecuteAsync($"CREATE TABLE {name} (id INTEGER PRIMARY KEY, article TEXT NOT NULL)", cancellationToken: cancellationToken);
            return new OwnTable(name, file);
        }

        public override async Task<string> DescribeAsync(SqlExecutor reader, CancellationToken cancellationToken)
        {
            var tables = await reader.ExecuteAsync(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_rs\\_%' ESCAPE '\\' AND name <> ?",
                [table],
                cancellationToken: cancellationToken);
            return FormattableString.Invariant(
                $"{tables.First.Rows[0].GetInt64(0)} tables, {tables.First.Meta.SizeAfterBytes / 1048576.0:F1} MiB from {file}; the demo's own table is {table}");
        }

        public override async Task<(long Order, SqlResponse Answer)> OrderAsync(SqlExecutor through, CancellationToken cancellationToken)
        {
            var article = _articles[_orders++ % _articles.Length];
            var answer = await through.ExecuteAsync($"INSERT INTO {table} (article) VALUES (?)", [article], cancellationToken: cancellationToken);
            return (answer.LastRowId, answer);
        }

        public override Task<SqlResponse> ListAsync(SqlExecutor reader, CancellationToken cancellationToken) =>
            reader.ExecuteAsync($"SELECT id, article FROM {table} ORDER BY id DESC LIMIT 10", cancellationToken: cancellationToken);
    }
}
