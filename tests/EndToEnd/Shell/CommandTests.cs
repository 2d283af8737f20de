namespace ReplicatedSqlite.EndToEnd.Shell;

public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rsql-files-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dump_loaded_elsewhere_makes_the_same_database()
    {
        await using var cluster = await StartAsync();
        await cluster.Client(0).Database("shop").ScriptAsync(
            """
            CREATE TABLE kinds(i INTEGER, r REAL, t TEXT, b BLOB, n);
            INSERT INTO kinds VALUES (-9223372036854775807 - 1, 0.1, 'it''s' || char(10) || 'ü', x'00ff', NULL), (1, 1.0, 'a' || char(0) || 'b', zeroblob(3), 9e999), (2, -1e-300, '', x'', 2.5);
            CREATE TABLE doubled(x, y AS (x * 2) STORED);
            INSERT INTO doubled(x) VALUES (3);
            CREATE TABLE numbered(id INTEGER PRIMARY KEY AUTOINCREMENT, "odd name" TEXT);
            INSERT INTO numbered("odd name") VALUES ('a'), ('b');
            DELETE FROM numbered WHERE id = 2;
            CREATE INDEX by_name ON numbered("odd name");
            CREATE VIEW all_kinds AS SELECT t FROM kinds;
            CREATE TRIGGER no_more BEFORE INSERT ON kinds BEGIN SELECT RAISE(ABORT, 'no more'); END;
            CREATE VIRTUAL TABLE docs USING fts5(body);
            INSERT INTO docs(rowid, body) VALUES (7, 'the quick brown fox'), (9, 'lazy dogs');
            """,
            cancellationToken: Cancellation);

        var (code, dump, errors) = await RsqlAsync(cluster, "shop", ".dump");
        Assert.True(code == 0, errors);
        await cluster.Client(0).Admin.CreateDatabaseAsync("copy", cancellationToken: Cancellation);
        var file = await WriteAsync("dump.sql", dump);
        (code, _, errors) = await RsqlAsync(cluster, "copy", $".read {file}");
        Assert.True(code == 0, errors);

        const string Sum =
            "SELECT (SELECT group_concat(quote(i) || quote(r) || hex(t) || typeof(t) || quote(b) || quote(n)) FROM kinds) || (SELECT y FROM doubled) || (SELECT seq FROM sqlite_sequence) "
            + "|| (SELECT rowid FROM docs WHERE docs MATCH 'dogs') || (SELECT group_concat(type || name || sql) FROM (SELECT * FROM sqlite_schema WHERE name NOT LIKE '\\_rs%' ESCAPE '\\' AND sql NOT NULL ORDER BY name))";
        Assert.Equal(
            await cluster.Client(0).Database("shop").QueryScalarAsync<string>(Sum, cancellationToken: Cancellation),
            await cluster.Client(0).Database("copy").QueryScalarAsync<string>(Sum, cancellationToken: Cancellation));
        Assert.Equal(dump, (await RsqlAsync(cluster, "copy", ".dump")).Output);
        Assert.DoesNotContain("kinds", (await RsqlAsync(cluster, "shop", ".dump numbered")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_is_imported_into_a_new_table_and_into_one_that_is_there()
    {
        await using var cluster = await StartAsync();
        var rows = string.Concat(Enumerable.Range(1, 2500).Select(i => $"{i},\"name, \"\"{i}\"\"\"\r\n"));
        var file = await WriteAsync("people.csv", "id,full name\r\n" + rows);

        var (code, _, errors) = await RsqlAsync(cluster, "shop", $".import {file} people");
        Assert.True(code == 0 && errors.Contains("2500 rows were loaded", StringComparison.Ordinal), errors);
        (code, _, errors) = await RsqlAsync(cluster, "shop", $".import {file} people --skip 1");
        Assert.True(code == 0, errors);

        var database = cluster.Client(0).Database("shop");
        Assert.Equal(5000, await database.QueryScalarAsync<long>("SELECT count(*) FROM people", cancellationToken: Cancellation));
        Assert.Equal("name, \"77\"", await database.QueryScalarAsync<string>("SELECT \"full name\" FROM people WHERE id = '77'", cancellationToken: Cancellation));

        (code, _, errors) = await RsqlAsync(cluster, "shop", $".import {await WriteAsync("bad.csv", "1,2\n3\n")} people");
        Assert.Equal(1, code);
        Assert.Contains("Line 2 has 1 fields; the table has 2 columns.", errors, StringComparison.Ordinal);
        Assert.Equal(5000, await database.QueryScalarAsync<long>("SELECT count(*) FROM people", cancellationToken: Cancellation));
    }

    [Fact]
    public async Task The_schema_the_copies_and_the_requests_are_shown()
    {
        await using var cluster = await StartAsync();
        await cluster.Client(0).Database("shop").ScriptAsync("CREATE TABLE a(x); CREATE TABLE b(y); CREATE INDEX by_x ON a(x); CREATE VIEW v AS SELECT 1", cancellationToken: Cancellation);

        Assert.Equal("a\nb\nv\n", (await RsqlAsync(cluster, "shop", ".tables")).Output);
        Assert.Equal("CREATE TABLE a(x);\nCREATE INDEX by_x ON a(x);\n", (await RsqlAsync(cluster, "shop", ".schema a")).Output);
        Assert.Equal("by_x\n", (await RsqlAsync(cluster, "shop", ".indexes")).Output);
        Assert.StartsWith("[{\"1\":1}", (await RsqlAsync(cluster, "--json", "shop", "SELECT 1 AS \"1\"")).Output, StringComparison.Ordinal);
        await cluster.SettleAsync("shop");
        var regions = (await RsqlAsync(cluster, "-m", "csv", "shop", ".regions")).Output.Split("\r\n");
        Assert.Equal("node,region,role,follows,alive,bookmark,behind,confirm_lag_ms,stale_ms", regions[0]);
        Assert.Contains(regions, line => line.Contains(",enam,primary,yes,yes,", StringComparison.Ordinal));
        Assert.Contains(regions, line => line.Contains(",apac,replica,yes,yes,", StringComparison.Ordinal) && line.Split(',')[6] == "0" && line.Split(',')[8] != "never");
        Assert.Contains(",Execute,running,", (await RunningAsync(cluster)).Output, StringComparison.Ordinal);
        var killed = await RsqlAsync(cluster, "kill", "enam-0.0");
        Assert.Equal(1, killed.Code);
        Assert.Contains("[QUERY_NOT_FOUND]", killed.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int Code, string Output, string Errors)> RunningAsync(ClusterFixture cluster)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var endless = cluster.Client(1).Database("shop").ExecuteAsync("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c", cancellationToken: ending.Token);
        (int, string Output, string) shown = default;
        await Eventually.TrueAsync(async () => (shown = await RsqlAsync(cluster, "queries", "shop", "-m", "csv")).Output.Contains("running", StringComparison.Ordinal), "it runs");
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        return shown;
    }

    private static async Task<ClusterFixture> StartAsync()
    {
        var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("shop", cancellationToken: Cancellation);
        return cluster;
    }

    private static Task<(int Code, string Output, string Errors)> RsqlAsync(ClusterFixture cluster, params string[] arguments) =>
        RsqlProcess.RunAsync(["-s", cluster.Node(0).GrpcAddress.Authority, .. arguments]);

    private async Task<string> WriteAsync(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(path, text, Cancellation);
        return path;
    }
}
