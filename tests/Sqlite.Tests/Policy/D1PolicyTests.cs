using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class D1PolicyTests
{
    private const string Schema =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a'); CREATE INDEX by_v ON t (v); CREATE VIRTUAL TABLE f USING fts5(body); INSERT INTO f VALUES ('some words')";

    [Theory]
    [InlineData("CREATE TEMP TABLE x (y)")]
    [InlineData("CREATE TEMP VIEW x AS SELECT 1")]
    [InlineData("CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END")]
    [InlineData("CREATE TABLE _cf_KV (y)")]
    [InlineData("CREATE TABLE _CF_KV (y)")]
    [InlineData("CREATE TABLE _rs_mine (y)")]
    [InlineData("ALTER TABLE t RENAME TO _cf_t")]
    [InlineData("CREATE VIRTUAL TABLE x USING geopoly(a)")]
    [InlineData("CREATE VIRTUAL TABLE x USING dbstat")]
    [InlineData("VACUUM")]
    [InlineData("ATTACH ':memory:' AS other")]
    [InlineData("BEGIN")]
    [InlineData("SAVEPOINT s")]
    [InlineData("PRAGMA user_version")]
    [InlineData("PRAGMA user_version = 3")]
    [InlineData("PRAGMA page_count")]
    [InlineData("PRAGMA integrity_check")]
    [InlineData("PRAGMA journal_mode")]
    [InlineData("PRAGMA cache_size = 5")]
    [InlineData("PRAGMA page_size = 512")]
    [InlineData("SELECT sqlite_version()")]
    [InlineData("SELECT sqlite_source_id()")]
    [InlineData("SELECT sqlite_compileoption_used('X')")]
    [InlineData("SELECT load_extension('x')")]
    [InlineData("SELECT median(v) FROM t")]
    public void What_d1_does_not_allow_is_refused(string sql)
    {
        using var bench = Bench();
        var error = Refused(() => bench.Write(Sql(sql)), sql.Contains("median", StringComparison.Ordinal) ? ErrorCodes.SqliteError : ErrorCodes.SqliteAuth);
        Assert.Equal(error.Message, Assert.Throws<RequestException>(() => bench.IsRead(Sql(sql)) ? bench.Read(Sql(sql)) : bench.Write(Sql(sql))).Message);
        Assert.Equal("1|a", bench.Rows("SELECT * FROM t"));
    }

    [Theory]
    [InlineData("PRAGMA table_list")]
    [InlineData("PRAGMA table_info(t)")]
    [InlineData("PRAGMA table_xinfo(t)")]
    [InlineData("PRAGMA index_list(t)")]
    [InlineData("PRAGMA index_info(by_v)")]
    [InlineData("PRAGMA index_xinfo(by_v)")]
    [InlineData("PRAGMA foreign_key_list(t)")]
    [InlineData("PRAGMA foreign_key_check")]
    [InlineData("PRAGMA quick_check(t)")]
    [InlineData("PRAGMA data_version")]
    [InlineData("PRAGMA page_size")]
    [InlineData("PRAGMA defer_foreign_keys = ON")]
    [InlineData("PRAGMA foreign_keys = OFF")]
    [InlineData("PRAGMA case_sensitive_like = ON")]
    [InlineData("PRAGMA optimize")]
    [InlineData("PRAGMA optimize(2)")]
    [InlineData("ANALYZE")]
    [InlineData("REINDEX")]
    [InlineData("SELECT m.name, x.name FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) x")]
    [InlineData("ALTER TABLE t RENAME COLUMN v TO w")]
    [InlineData("ALTER TABLE t RENAME TO u")]
    [InlineData("ALTER TABLE t ADD COLUMN w NOT NULL DEFAULT 7")]
    [InlineData("DROP INDEX by_v")]
    [InlineData("DROP TABLE f")]
    [InlineData("CREATE TABLE x AS SELECT * FROM t")]
    [InlineData("CREATE VIRTUAL TABLE x USING fts5vocab('f', 'row')")]
    [InlineData("CREATE VIRTUAL TABLE x USING rtree(id, a, b)")]
    [InlineData("CREATE VIRTUAL TABLE x USING rtree_i32(id, a, b)")]
    [InlineData("SELECT highlight(f, 0, '<', '>'), bm25(f), snippet(f, 0, '<', '>', '', 5) FROM f WHERE f MATCH 'words' ORDER BY rank")]
    [InlineData("SELECT rtreecheck('t') IS NOT NULL")]
    [InlineData("SELECT json_extract('{\"a\":[1]}', '$.a[0]'), '{\"a\":1}' -> 'a', '{\"a\":1}' ->> '$.a', json_group_array(v), jsonb('[1]') FROM t")]
    [InlineData("SELECT key, value FROM json_each('[1,2]') UNION ALL SELECT key, value FROM json_tree('[3]')")]
    [InlineData("SELECT datetime('now'), unixepoch(), strftime('%Y', 'now'), CURRENT_TIMESTAMP, julianday('now')")]
    [InlineData("SELECT sqrt(2), pi(), pow(2, 3), ln(2), log(10), trunc(1.5), mod(5, 3)")]
    [InlineData("SELECT row_number() OVER (ORDER BY id), lag(v) OVER (ORDER BY id), sum(id) OVER () FROM t")]
    [InlineData("SELECT group_concat(v), string_agg(v, '-'), total(id), avg(id), count(*) FROM t")]
    [InlineData("SELECT iif(1, 2, 3), if(1, 2), coalesce(NULL, 1), printf('%d', 1), format('%s', 'x'), concat_ws('-', 1, 2), unhex('00'), octet_length('x')")]
    [InlineData("SELECT 'a' LIKE 'A', 'a' GLOB 'a', random() IS NOT NULL, randomblob(4) IS NOT NULL, zeroblob(2), quote('x'), changes(), total_changes(), last_insert_rowid()")]
    public void What_d1_allows_runs(string sql)
    {
        using var bench = Bench();
        bench.Write(Sql(sql));
    }

    [Fact]
    public void Limits_are_d1s()
    {
        using var bench = Bench();
        bench.Read(Bound($"SELECT {Many("?", 100)}", [.. Enumerable.Repeat<object?>(1, 100)]));
        Refused(() => bench.Read(Bound($"SELECT {Many("?", 101)}", [.. Enumerable.Repeat<object?>(1, 101)])), ErrorCodes.SqliteError);
        bench.Write(Sql($"CREATE TABLE wide ({string.Join(',', Enumerable.Range(0, 100).Select(i => $"c{i}"))})"));
        Refused(() => bench.Write(Sql($"CREATE TABLE wider ({string.Join(',', Enumerable.Range(0, 101).Select(i => $"c{i}"))})")), ErrorCodes.SqliteError);
        bench.Read(Sql("SELECT 1" + new string(' ', 99_000)));
        Refused(() => bench.Read(Sql("SELECT '" + new string('x', 100_000) + "'")), ErrorCodes.SqliteTooBig);
        bench.Write(Bound("UPDATE t SET v = ?", new string('x', 1_999_000)));
        Refused(() => bench.Write(Bound("UPDATE t SET v = ?", new string('x', 2_000_001))), ErrorCodes.SqliteTooBig);
        Refused(() => bench.Read(Sql("SELECT zeroblob(2000001)")), ErrorCodes.SqliteTooBig);
        bench.Read(Sql($"SELECT 'a' LIKE '{new string('a', 50)}'"));
        Refused(() => bench.Read(Sql($"SELECT 'a' LIKE '{new string('a', 51)}'")), ErrorCodes.SqliteError);
        bench.Read(Sql(string.Join(" UNION ALL ", Enumerable.Repeat("SELECT 1", 5))));
        Refused(() => bench.Read(Sql(string.Join(" UNION ALL ", Enumerable.Repeat("SELECT v FROM t", 6)))), ErrorCodes.SqliteError);

        static string Many(string item, int count) => string.Join(',', Enumerable.Repeat(item, count));
    }

    [Fact]
    public void A_script_may_be_longer_than_one_statement()
    {
        using var bench = Bench();
        var script = string.Join(";\n", Enumerable.Range(0, 5000).Select(i => $"INSERT INTO t (v) VALUES ('row number {i}')"));
        Assert.True(script.Length > 200_000);
        Assert.Equal(5000, bench.Write(Script(script)).Count);
    }

    [Fact]
    public void The_servers_own_sql_is_not_bound_by_the_profile()
    {
        using var bench = Bench();
        bench.Writer.Owner.Execute("CREATE TABLE _cf_own (x); PRAGMA user_version = 7");
        Refused(() => bench.Read(Sql("SELECT * FROM _cf_own")), ErrorCodes.SqliteAuth);
        Assert.Equal("_cf_own|x", bench.Rows("SELECT m.name, x.name FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) x WHERE m.name = '_cf_own'"));
    }

    [Fact]
    public void Profiles_are_found_by_name()
    {
        Assert.Same(SqlPolicy.Default, SqlPolicy.Find("default"));
        Assert.Same(SqlPolicy.D1, SqlPolicy.Find("d1"));
        Assert.Null(SqlPolicy.Find("d2"));
        Assert.Same(SqlPolicy.D1, new ReaderOptions().ForProfile(() => "d1").Connections.CurrentPolicy!());
        Assert.Same(SqlPolicy.Default, new ReaderOptions().ForProfile(() => "of a later version").Connections.CurrentPolicy!());
    }

    [Fact]
    public async Task A_connection_takes_over_another_profile_with_its_next_request_and_back()
    {
        var policy = SqlPolicy.Default;
        var options = new QueryConnectionOptions { CurrentPolicy = () => policy };
        using var bench = new SqlBench(Schema, options);
        await using var readers = DatabaseReaders.Open(bench.Path, new ReaderOptions { Connections = options });
        const string Versions = "PRAGMA user_version";
        var manyParameters = "SELECT " + string.Join(" + ", Enumerable.Range(1, 101).Select(i => $"?{i}"));
        for (var round = 0; round < 3; round++)
        {
            policy = SqlPolicy.Default;
            bench.Write(SqlBench.Sql("CREATE TEMP TABLE s (x)"));
            using (var lease = await readers.RentAsync(TestContext.Current.CancellationToken))
            {
                Assert.Equal(["user_version"], lease.Connection.Describe(Versions).Columns.Select(column => column.Name));
                Assert.Equal(101, lease.Connection.Describe(manyParameters).Parameters.Count);
            }

            policy = SqlPolicy.D1;
            Assert.Equal(ErrorCodes.SqliteAuth, Assert.Throws<RequestException>(() => bench.Write(SqlBench.Sql("CREATE TEMP TABLE s (x)"))).Error.Code);
            using (var transaction = new InteractiveTransaction(bench.WriterConnection))
            {
                Assert.Equal(ErrorCodes.SqliteAuth, ((RequestException)transaction.Execute(SqlBench.Sql("CREATE TEMP TABLE s (x)")).Error!).Error.Code);
            }

            using (var lease = await readers.RentAsync(TestContext.Current.CancellationToken))
            {
                Assert.Equal(ErrorCodes.SqliteAuth, Assert.Throws<RequestException>(() => lease.Connection.Describe(Versions)).Error.Code);
                Assert.Throws<RequestException>(() => lease.Connection.Describe(manyParameters));
            }
        }
    }

    private static SqlBench Bench() => new(Schema, new QueryConnectionOptions { Policy = SqlPolicy.D1 });
}
