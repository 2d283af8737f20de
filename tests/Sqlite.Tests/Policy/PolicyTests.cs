using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class PolicyTests
{
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a')";

    [Theory]
    [InlineData("BEGIN", "one request")]
    [InlineData("BEGIN IMMEDIATE", "Transact")]
    [InlineData("COMMIT", "Transact")]
    [InlineData("END", "Transact")]
    [InlineData("ROLLBACK", "Transact")]
    [InlineData("SAVEPOINT a", "Transact")]
    [InlineData("RELEASE a", "Transact")]
    [InlineData("ROLLBACK TO a", "Transact")]
    [InlineData("ATTACH 'other.db' AS o", "one database")]
    [InlineData("DETACH main", "one database")]
    [InlineData("SELECT load_extension('x')", "load_extension")]
    [InlineData("PRAGMA journal_mode = DELETE", "WAL", true)]
    [InlineData("PRAGMA page_size = 512", "only be read")]
    [InlineData("PRAGMA wal_checkpoint", "not allowed")]
    [InlineData("PRAGMA wal_autocheckpoint = 1", "not allowed")]
    [InlineData("PRAGMA synchronous = OFF", "not allowed")]
    [InlineData("PRAGMA locking_mode = EXCLUSIVE", "not allowed")]
    [InlineData("PRAGMA writable_schema = ON", "not allowed")]
    [InlineData("PRAGMA schema_version = 7", "not allowed")]
    [InlineData("PRAGMA auto_vacuum = FULL", "not allowed")]
    [InlineData("PRAGMA temp.user_version = 7", "only be read")]
    [InlineData("PRAGMA encoding = 'UTF-16'", "only be read")]
    [InlineData("SELECT * FROM pragma_optimize(-1)", "as a statement")]
    [InlineData("SELECT * FROM sqlite_dbpage", "raw pages")]
    [InlineData("UPDATE sqlite_dbpage SET data = zeroblob(4096) WHERE pgno = 1", "raw pages")]
    [InlineData("CREATE VIRTUAL TABLE x USING sqlite_dbpage", "fts5")]
    public void What_is_not_allowed_says_what_to_do(string sql, string text, bool anyCase = false)
    {
        using var bench = new SqlBench(Schema);
        foreach (var error in new[]
        {
            Refused(() => bench.Read(Sql(sql)), ErrorCodes.SqliteAuth),
            Refused(() => bench.Write(Sql(sql)), ErrorCodes.SqliteAuth),
            Refused(() => bench.Write(Sql("INSERT INTO t VALUES (2, 'b')", sql)), ErrorCodes.SqliteAuth),
            Refused(() => bench.Write(Script("INSERT INTO t VALUES (2, 'b');" + sql)), ErrorCodes.SqliteAuth),
        })
        {
            Assert.Contains(text, error.Message, anyCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
            Assert.Equal(StatusCode.PermissionDenied, error.Status);
            Assert.Equal(SqliteCodes.Auth, error.Error.SqliteCode);
        }

        Assert.Equal("1|a", bench.Rows("SELECT * FROM t"));
    }

    [Theory]
    [InlineData("SELECT * FROM _rs_requests")]
    [InlineData("SELECT count(*) FROM _RS_Requests")]
    [InlineData("SELECT (SELECT key FROM \"_rs_requests\")")]
    [InlineData("INSERT INTO _rs_requests VALUES ('k', 'a')")]
    [InlineData("UPDATE _rs_requests SET key = 'x'")]
    [InlineData("DELETE FROM _rs_requests")]
    [InlineData("DROP TABLE _rs_requests")]
    [InlineData("CREATE TABLE _rs_mine (x)")]
    [InlineData("CREATE TABLE _rs_mine AS SELECT 1")]
    [InlineData("CREATE VIEW _Rs_mine AS SELECT 1")]
    [InlineData("CREATE TEMP TABLE _rs_requests (x)")]
    [InlineData("CREATE TEMP VIEW _rs_requests AS SELECT 1")]
    [InlineData("CREATE INDEX _rs_i ON t (v)")]
    [InlineData("CREATE INDEX i ON _rs_requests (answer)")]
    [InlineData("CREATE TRIGGER tr AFTER INSERT ON _rs_requests BEGIN SELECT 1; END")]
    [InlineData("CREATE TRIGGER _rs_tr AFTER INSERT ON t BEGIN SELECT 1; END")]
    [InlineData("CREATE VIRTUAL TABLE _rs_f USING fts5(x)")]
    [InlineData("CREATE VIRTUAL TABLE _rs USING fts5(x)")]
    [InlineData("ALTER TABLE _rs_requests ADD COLUMN x")]
    [InlineData("ALTER TABLE _rs_requests RENAME TO mine")]
    [InlineData("ALTER TABLE t RENAME TO _rs_mine")]
    [InlineData("ALTER TABLE t RENAME TO '_RS_mine'")]
    public void Names_of_the_server_are_off_limits(string sql)
    {
        using var bench = new SqlBench(Schema);
        var isRead = sql.StartsWith("SELECT", StringComparison.Ordinal);
        var error = isRead ? Refused(() => bench.Read(Sql(sql)), ErrorCodes.SqliteAuth) : Refused(() => bench.Write(Sql(sql)), ErrorCodes.SqliteAuth);
        Assert.Contains("_rs_", error.Message, StringComparison.Ordinal);
        Assert.Equal("_rs_requests t", bench.Rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"));
        Assert.Equal("1|a", bench.Rows("SELECT * FROM t"));
    }

    [Fact]
    public void Names_of_the_server_are_off_limits_through_views_and_triggers_too()
    {
        using var bench = new SqlBench(Schema);
        bench.Write(Script("CREATE VIEW v AS SELECT * FROM _rs_requests; CREATE TRIGGER tr AFTER UPDATE ON t BEGIN DELETE FROM _rs_requests; END"));
        Refused(() => bench.Read(Sql("SELECT * FROM v")), ErrorCodes.SqliteAuth);
        Refused(() => bench.Write(Sql("UPDATE t SET v = 'b'")), ErrorCodes.SqliteAuth);
        Refused(() => bench.Write(Script("CREATE VIRTUAL TABLE f USING fts5(answer, content='_rs_requests'); SELECT * FROM f")), ErrorCodes.SqliteAuth);
    }

    [Fact]
    public void The_schema_of_the_servers_tables_may_be_read()
    {
        using var bench = new SqlBench(Schema);
        Assert.Equal(
            "_rs_requests|key _rs_requests|answer t|id t|v",
            bench.Rows("SELECT m.name, x.name FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) x WHERE m.type = 'table' ORDER BY m.name, x.cid"));
        Assert.Equal("0|key|TEXT|0|NULL|1|0 1|answer|TEXT|0|NULL|0|0", bench.Rows("PRAGMA table_xinfo(_rs_requests)"));
        bench.Read(Sql("PRAGMA index_list(_rs_requests)", "PRAGMA foreign_key_list(_rs_requests)", "PRAGMA table_list", "PRAGMA integrity_check", "PRAGMA foreign_key_check"));
    }

    [Theory]
    [InlineData("ANALYZE")]
    [InlineData("REINDEX")]
    [InlineData("PRAGMA optimize")]
    [InlineData("PRAGMA incremental_vacuum(1)")]
    [InlineData("PRAGMA user_version = 7")]
    [InlineData("PRAGMA application_id = 7")]
    [InlineData("PRAGMA journal_mode = WAL")]
    [InlineData("PRAGMA busy_timeout = 1")]
    [InlineData("PRAGMA cache_size = 1")]
    [InlineData("PRAGMA temp_store = 1")]
    [InlineData("CREATE VIRTUAL TABLE f USING fts5(x)")]
    [InlineData("CREATE VIRTUAL TABLE r USING rtree(id, a, b)")]
    [InlineData("DROP TABLE t")]
    [InlineData("ALTER TABLE t RENAME COLUMN v TO w")]
    [InlineData("SELECT sqlite_version(), count(*) OVER () FROM t")]
    [InlineData("SELECT * FROM json_each('[1]')")]
    [InlineData("SELECT * FROM pragma_function_list LIMIT 1")]
    public void What_is_allowed_runs(string sql)
    {
        using var bench = new SqlBench(Schema + "; CREATE INDEX i ON t (v)");
        bench.Write(Sql("SELECT 1", sql));
    }

    [Fact]
    public void Pragmas_without_effect_have_none()
    {
        using var bench = new SqlBench(Schema);
        var before = bench.Rows("PRAGMA cache_size");
        bench.Read(Sql("PRAGMA cache_size = 5"));
        Assert.Equal(before, bench.Rows("PRAGMA cache_size"));
        before = bench.Rows("PRAGMA busy_timeout");
        bench.Read(Sql("PRAGMA busy_timeout = 5"));
        Assert.Equal(before, bench.Rows("PRAGMA busy_timeout"));
        Assert.Equal("wal", bench.Rows("PRAGMA journal_mode = wal"));
    }

    [Fact]
    public void A_profile_is_data()
    {
        var strict = SqlPolicy.Default with { Name = "strict", AllowTemp = false, AllowVacuum = false, Limits = [(9, 2)], ReservedPrefixes = ["_rs_", "_cf_"] };
        using var bench = new SqlBench(Schema, new QueryConnectionOptions { Policy = strict });
        Refused(() => bench.Write(Sql("CREATE TEMP TABLE x (y)")), ErrorCodes.SqliteAuth);
        Refused(() => bench.Write(Sql("VACUUM")), ErrorCodes.SqliteAuth);
        Refused(() => bench.Write(Sql("CREATE TABLE _cf_x (y)")), ErrorCodes.SqliteAuth);
        Refused(() => bench.Write(Sql("ALTER TABLE t RENAME TO _cf_x")), ErrorCodes.SqliteAuth);
        Refused(() => bench.Read(Bound("SELECT ?, ?, ?", 1, 2, 3)), ErrorCodes.SqliteError); // SQLITE_LIMIT_VARIABLE_NUMBER
    }

    [Fact]
    public void Readers_cannot_write_whatever_they_are_told()
    {
        using var bench = new SqlBench(Schema);
        Assert.Throws<SqliteException>(() => bench.Reader.Connection.Execute("INSERT INTO t VALUES (9, 9)"));
    }
}
