using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class ScriptTests
{
    [Theory]
    [InlineData("SELECT 1; SELECT 2", "1,2")]
    [InlineData("SELECT 1;\r\nSELECT 2;\r\n", "1,2")]
    [InlineData(";;\n;SELECT 1;;;SELECT 2;;", "1,2")]
    [InlineData("SELECT 'a;b'; SELECT 'it''s; fine'", "a;b,it's; fine")]
    [InlineData("SELECT \"x;y\" FROM (SELECT 1 AS \"x;y\"); SELECT [a;b] FROM (SELECT 2 AS [a;b]); SELECT `a;` FROM (SELECT 3 AS `a;`)", "1,2,3")]
    [InlineData("-- first; one\nSELECT 1; /* between; */ SELECT /* ; */ 2 -- last; one", "1,2")]
    [InlineData("SELECT 1; -- done", "1")]
    [InlineData("SELECT 1; /* not closed", "1")]
    [InlineData("SELECT CASE WHEN 1 THEN 'x' ELSE 'y' END; SELECT CASE 2 WHEN 2 THEN ';' END", "x,;")]
    [InlineData("\uFEFFSELECT 'ä🙂;'; SELECT 2", "ä🙂;,2")]
    [InlineData("SELECT 1;\fSELECT\t2", "1,2")]
    public void Scripts_are_split_where_sqlite_splits_them(string sql, string expected)
    {
        using var bench = new SqlBench();
        Assert.Equal(expected, string.Join(',', bench.Read(Script(sql)).Select(Show)));
        Assert.Equal(expected, string.Join(',', bench.Write(Script(sql)).Select(Show)));
    }

    [Fact]
    public void Triggers_with_statements_inside_stay_whole()
    {
        using var bench = new SqlBench("CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE log (x)");
        var results = bench.Write(Script("""
            CREATE TRIGGER a AFTER INSERT ON t WHEN new.v > 0 BEGIN
              INSERT INTO log VALUES (CASE WHEN new.v = 1 THEN 'one;' ELSE 'END;' END); -- END;
              INSERT INTO log VALUES ('second');
            END;
            INSERT INTO t VALUES (1, 1);
            INSERT INTO t VALUES (2, 2);
            SELECT group_concat(x, ',') FROM log
            """));
        Assert.Equal(4, results.Count);
        Assert.Equal("one;,second,END;,second", Show(results[3]));
    }

    [Fact]
    public void Later_statements_may_need_what_earlier_ones_made()
    {
        using var bench = new SqlBench();
        Assert.Equal("1", Show(bench.Write(Script("CREATE TABLE t (a); INSERT INTO t VALUES (1); ALTER TABLE t RENAME TO u; SELECT * FROM u"))[3]));
    }

    [Fact]
    public void Each_statement_of_a_script_takes_as_many_values_as_it_has()
    {
        using var bench = new SqlBench();
        Assert.Equal("1|2,none,3,4|5|4", Joined(bench.Read(Script("SELECT ?, ?; SELECT 'none'; SELECT ?; SELECT ?1, ?2, ?1", 1, 2, 3, 4, 5))));
        var named = new SqlRequest([Named("SELECT :a, @b; SELECT $c, :a, ?", ("a", 1), ("@b", 2), ("c", 3))], script: true);
        named.Statements[0].Positional.Add(ToValue(9));
        Assert.Equal("1|2,3|1|9", Joined(bench.Read(named)));

        static string Joined(IReadOnlyList<Result> results) => string.Join(',', results.Select(Show));
    }

    [Fact]
    public void A_value_left_over_or_missing_in_a_script_is_an_error_and_nothing_is_done()
    {
        using var bench = new SqlBench("CREATE TABLE t (a)");
        Assert.Equal(1, Refused(() => bench.Write(Script("INSERT INTO t VALUES (?); INSERT INTO t VALUES (?)", 1)), ErrorCodes.Parameters).Error.StatementIndex);
        Assert.Contains("3 positional", Refused(() => bench.Write(Script("INSERT INTO t VALUES (?); INSERT INTO t VALUES (?)", 1, 2, 3)), ErrorCodes.Parameters).Message, StringComparison.Ordinal);
        Assert.Contains("y", Refused(() => bench.Write(new SqlRequest([Named("INSERT INTO t VALUES (:x)", ("x", 1), ("y", 2))], script: true)), ErrorCodes.Parameters).Message, StringComparison.Ordinal);
        Refused(() => bench.Read(Script("SELECT ?; SELECT 2", 1, 2)), ErrorCodes.Parameters);
        Assert.Equal("0", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void Errors_name_the_inner_statement_and_the_byte_in_the_text_as_sent()
    {
        using var bench = new SqlBench("CREATE TABLE t (a UNIQUE)");
        const string Sql = "SELECT 'ä'; /* ü */ SELECT missing FROM t";
        foreach (var error in new[]
        {
            Refused(() => bench.Read(Script(Sql)), "SQLITE_ERROR"), Refused(() => bench.Write(Script(Sql)), "SQLITE_ERROR"),
        })
        {
            Assert.Equal(1, error.Error.StatementIndex);
            Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(Sql[..Sql.IndexOf("missing", StringComparison.Ordinal)]), error.Error.SqlOffset);
            Assert.Equal(1, error.Error.SqliteCode);
        }

        var unique = Refused(() => bench.Write(Script("INSERT INTO t VALUES (1); SELECT 1; INSERT INTO t VALUES (1)")), "SQLITE_CONSTRAINT_UNIQUE");
        Assert.Equal((2, -1), (unique.Error.StatementIndex, unique.Error.SqlOffset));
        Assert.Equal("0", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void One_statement_is_one_statement()
    {
        using var bench = new SqlBench();
        foreach (var sql in new[] { "SELECT 1; SELECT 2", "SELECT 1; x", "SELECT 1;/**/PRAGMA foreign_keys=OFF" })
        {
            Assert.Contains("script", Refused(() => bench.Read(Sql(sql)), ErrorCodes.InvalidRequest).Message, StringComparison.Ordinal);
            Refused(() => bench.Write(Sql(sql)), ErrorCodes.InvalidRequest);
        }

        Assert.Equal("1", bench.Rows("PRAGMA foreign_keys"));
        foreach (var sql in new[] { "SELECT 1;", "SELECT 1 ; \r\n\t", "SELECT 1; -- note", "/* a */ SELECT 1 /* b */; /* c */ ; ;" })
        {
            Assert.Equal("1", bench.Rows(sql));
            Assert.Equal("1", Show(bench.Write(Sql(sql))[0]));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t ")]
    [InlineData("-- nothing")]
    [InlineData("/* nothing */ ;;")]
    public void No_sql_is_an_invalid_request(string sql)
    {
        using var bench = new SqlBench();
        Refused(() => bench.Read(Sql(sql)), ErrorCodes.InvalidRequest);
        Refused(() => bench.Write(Sql(sql)), ErrorCodes.InvalidRequest);
        Refused(() => bench.Read(Script(sql)), ErrorCodes.InvalidRequest);
        Refused(() => bench.Write(Script(sql)), ErrorCodes.InvalidRequest);
    }

    [Fact]
    public void A_request_without_statements_or_with_two_scripts_is_invalid()
    {
        using var bench = new SqlBench();
        Refused(() => bench.Read(Sql()), ErrorCodes.InvalidRequest);
        Refused(() => bench.Write(Sql()), ErrorCodes.InvalidRequest);
        Refused(() => bench.Read(new SqlRequest([With("SELECT 1"), With("SELECT 2")], script: true)), ErrorCodes.InvalidRequest);
    }

    [Fact]
    public void A_nul_character_in_sql_is_refused()
    {
        using var bench = new SqlBench();
        foreach (var request in new[] { Sql("SELECT 1\0; DROP TABLE t"), Script("SELECT 1;\0SELECT 2"), Sql("SELECT 'a\0b'") })
        {
            Assert.Contains("NUL", Refused(() => bench.Read(request), ErrorCodes.InvalidRequest).Message, StringComparison.Ordinal);
            Refused(() => bench.Write(request), ErrorCodes.InvalidRequest);
        }
    }

    [Fact]
    public void A_long_script_runs()
    {
        using var bench = new SqlBench("CREATE TABLE t (a INTEGER PRIMARY KEY)");
        var sql = string.Join(";\n", Enumerable.Range(0, 3000).Select(i => $"INSERT INTO t VALUES ({i})"));
        Assert.Equal(3000, bench.Write(Script(sql)).Count);
        Assert.Equal("3000", bench.Rows("SELECT count(*) FROM t"));
    }
}
