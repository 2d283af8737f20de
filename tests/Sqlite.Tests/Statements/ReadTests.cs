using Google.Protobuf;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class ReadTests
{
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, note); INSERT INTO t VALUES (1, 'one', 1.5), (2, 'two', x'00ff'), (3, 'three', NULL)";

    [Fact]
    public void Rows_are_stored_by_column_with_a_type_for_each_row()
    {
        using var bench = new SqlBench(Schema);
        var result = bench.Read(Sql("SELECT id, name, note FROM t ORDER BY id"))[0];
        Assert.Equal(3u, result.Rows.RowCount);
        Assert.Equal(new byte[] { 1, 1, 1 }, result.Rows.Columns[0].Types_.ToByteArray());
        Assert.Equal([1, 2, 3], result.Rows.Columns[0].Integers);
        Assert.Equal(["one", "two", "three"], result.Rows.Columns[1].Texts);
        Assert.Equal(new byte[] { 2, 4, 0 }, result.Rows.Columns[2].Types_.ToByteArray());
        Assert.Equal([1.5], result.Rows.Columns[2].Reals);
        Assert.Equal("1|one|1.5 2|two|x00FF 3|three|NULL", Show(result));
    }

    [Fact]
    public void Columns_tell_their_declared_type_and_origin()
    {
        using var bench = new SqlBench(Schema);
        var columns = bench.Read(Sql("SELECT id AS number, name, note, 1 + 1 AS sum FROM t"))[0].Columns;
        Assert.Equal(
            new ColumnInfo { Name = "number", DeclaredType = "INTEGER", OriginTable = "t", OriginColumn = "id", PrimaryKey = true, Autoincrement = true }, columns[0]);
        Assert.Equal(new ColumnInfo { Name = "name", DeclaredType = "TEXT", OriginTable = "t", OriginColumn = "name", NotNull = true }, columns[1]);
        Assert.Equal(new ColumnInfo { Name = "note", OriginTable = "t", OriginColumn = "note" }, columns[2]);
        Assert.Equal(new ColumnInfo { Name = "sum" }, columns[3]);
    }

    [Fact]
    public void Columns_follow_a_table_that_another_connection_alters()
    {
        using var bench = new SqlBench(Schema);
        Assert.Equal(3, bench.Read(Sql("SELECT * FROM t"))[0].Columns.Count);
        bench.Write(Sql("ALTER TABLE t ADD COLUMN more INTEGER DEFAULT 7"));
        var result = bench.Read(Sql("SELECT * FROM t"))[0];
        Assert.Equal("more", result.Columns[3].Name);
        Assert.Equal([7, 7, 7], result.Rows.Columns[3].Integers);
    }

    [Theory]
    [InlineData("CREATE TRIGGER on_view INSTEAD OF INSERT ON v BEGIN SELECT 1; END", "INSERT INTO v VALUES (1, 'x', 2)")]
    [InlineData("DROP TABLE u", "CREATE TABLE u (b)")]
    [InlineData("DROP VIEW v; CREATE TABLE v (a)", "INSERT INTO v VALUES (1)")]
    [InlineData("DROP INDEX i", "CREATE INDEX i ON u (a)")]
    [InlineData("DROP TRIGGER tr", "CREATE TRIGGER tr AFTER INSERT ON u BEGIN SELECT 2; END")]
    [InlineData("ALTER TABLE u DROP COLUMN b", "ALTER TABLE u ADD COLUMN b")]
    public void A_reader_with_an_older_picture_of_the_schema_refuses_nothing_that_is_right(string change, string sql)
    {
        using var bench = new SqlBench(Schema + "; CREATE VIEW v AS SELECT * FROM t; CREATE TABLE u (a, b); CREATE INDEX i ON u (a); CREATE TRIGGER tr AFTER INSERT ON u BEGIN SELECT 1; END");
        bench.Read(Sql("SELECT * FROM v, u"));
        bench.Write(Script(change));
        Assert.False(bench.IsRead(Sql(sql)));
        bench.Write(Sql(sql));
    }

    [Fact]
    public void A_query_without_rows_still_tells_its_columns()
    {
        using var bench = new SqlBench(Schema);
        var result = bench.Read(Sql("SELECT id FROM t WHERE id > 9"))[0];
        Assert.Equal("id", Assert.Single(result.Columns).Name);
        Assert.Equal(0u, result.Rows.RowCount);
    }

    [Fact]
    public void Statements_that_write_go_to_the_writer_and_are_remembered()
    {
        using var bench = new SqlBench(Schema + "; CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END; CREATE VIEW v AS SELECT 1; CREATE INDEX i ON t (note); CREATE VIRTUAL TABLE q USING fts5 (body)");
        foreach (var sql in new[]
        {
            "CREATE TRIGGER IF NOT EXISTS tr AFTER INSERT ON t BEGIN SELECT 1; END", "create view if not exists v AS SELECT 1", "CREATE INDEX IF NOT EXISTS i ON t (note)", "CREATE VIRTUAL TABLE IF NOT EXISTS q USING fts5 (body)",
            "INSERT INTO t (name) VALUES ('x')", "UPDATE t SET name = 'x'", "DELETE FROM t", "CREATE TABLE IF NOT EXISTS t (x)", "CREATE TEMP TABLE x (y)",
            "DROP TABLE IF EXISTS missing", "DROP TRIGGER IF EXISTS missing", " /* a */ drop view if exists missing", "DROP INDEX IF EXISTS missing", "VACUUM", "PRAGMA user_version = 3", "PRAGMA optimize", "REINDEX", "ANALYZE",
            "INSERT INTO t (name) VALUES ('x') RETURNING id", "WITH x AS (SELECT 1) DELETE FROM t WHERE id IN x",
        })
        {
            Assert.False(bench.IsRead(Sql(sql)), sql);
            Assert.True(bench.Known.Contains(sql), sql);
            Assert.False(bench.IsRead(Sql("SELECT 1", sql)), sql);
        }
    }

    [Fact]
    public void Statements_that_read_stay_with_the_reader()
    {
        using var bench = new SqlBench(Schema);
        foreach (var sql in new[]
        {
            "SELECT * FROM t", "WITH x AS (SELECT 1) SELECT * FROM x", "VALUES (1)", "EXPLAIN DELETE FROM t", "EXPLAIN QUERY PLAN UPDATE t SET name = 1",
            "PRAGMA user_version", "PRAGMA journal_mode", "PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON", "PRAGMA busy_timeout = 5000", "PRAGMA integrity_check",
            "SELECT * FROM pragma_table_info('t')",
        })
        {
            Assert.True(bench.IsRead(Sql(sql)), sql);
            bench.Read(Sql(sql));
        }
    }

    [Fact]
    public void An_error_before_the_first_write_is_the_answer()
    {
        using var bench = new SqlBench(Schema);
        var error = Refused(() => bench.IsRead(Sql("SELECT 1", "SELECT missing FROM t", "DELETE FROM t")), "SQLITE_ERROR");
        Assert.Equal(1, error.Error.StatementIndex);
        Assert.Equal(7, error.Error.SqlOffset);
        Assert.Equal("no such column: missing", error.Message);
        Assert.Equal(StatusCode.InvalidArgument, error.Status);
    }

    [Fact]
    public void A_read_sees_its_snapshot_while_others_write_between_its_statements()
    {
        using var bench = new SqlBench(Schema);
        Assert.True(PreparedRead.TryPrepare(bench.Reader, Sql("SELECT count(*) FROM t", "SELECT max(id) FROM t"), null, out var read));
        using (read)
        {
            read!.BeginSnapshot();
            bench.Write(Sql("DELETE FROM t WHERE id = 3"));
            Assert.Equal("3", Rows(read, 0));
            bench.Write(Sql("DELETE FROM t"));
            Assert.Equal("3", Rows(read, 1));
            Assert.False(read.MoveNext());
        }

        Assert.Equal("0", bench.Rows("SELECT count(*) FROM t"));

        static string Rows(PreparedRead read, int index)
        {
            var shown = "";
            for (ResultPart? part = null; part?.PartCase != ResultPart.PartOneofCase.End;)
            {
                Assert.True(read.MoveNext());
                part = read.Current;
                Assert.Equal((uint)index, part.StatementIndex);
                shown += part.PartCase == ResultPart.PartOneofCase.Rows ? Show(part.Rows) : "";
            }

            return shown;
        }
    }

    [Fact]
    public void Parts_come_as_header_then_bounded_batches_then_end()
    {
        using var bench = new SqlBench();
        var request = new SqlRequest([With("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n")]) { BatchRows = 4 };
        Assert.True(PreparedRead.TryPrepare(bench.Reader, request, null, out var read));
        using (read)
        {
            var parts = new List<ResultPart>();
            while (read!.MoveNext())
            {
                parts.Add(read.Current);
            }

            Assert.Equal("i", Assert.Single(parts[0].Header.Columns).Name);
            Assert.Equal([4u, 4u, 2u], parts[1..^1].Select(part => part.Rows.RowCount));
            Assert.True(parts[^1].End.SizeAfter > 0);
            Assert.Equal([9, 10], parts[^2].Rows.Columns[0].Integers);
        }
    }

    [Fact]
    public void Batches_stay_small_and_only_one_larger_row_passes_the_bound()
    {
        using var bench = new SqlBench("CREATE TABLE b (x, y)");
        bench.Write(Sql(
            "INSERT INTO b VALUES (1, zeroblob(100000)), (2, zeroblob(100000)), (3, zeroblob(100000)), (4, zeroblob(5000000)), (5, zeroblob(10))",
            "INSERT INTO b SELECT value, 'text' FROM (WITH RECURSIVE n(value) AS (SELECT 6 UNION ALL SELECT value + 1 FROM n WHERE value < 100000) SELECT value FROM n)"));
        Assert.True(PreparedRead.TryPrepare(bench.Reader, Sql("SELECT x, y FROM b ORDER BY rowid"), null, out var read));
        using (read)
        {
            var next = 1L;
            while (read!.MoveNext())
            {
                if (read.Current.PartCase == ResultPart.PartOneofCase.Rows)
                {
                    var rows = read.Current.Rows;
                    Assert.True(rows.RowCount == 1 || rows.CalculateSize() <= 256 * 1024, $"{rows.RowCount} rows of {rows.CalculateSize()} bytes");
                    foreach (var row in RowsOf(rows))
                    {
                        Assert.Equal(next, row[0]);
                        Assert.Equal(next switch { 4 => 5000000, <= 3 => 100000, 5 => 10, _ => 4 }, row[1] is ByteString blob ? blob.Length : ((string)row[1]!).Length);
                        next++;
                    }
                }
            }

            Assert.Equal(100001, next);
        }
    }

    [Fact]
    public void Results_over_the_bound_are_refused_and_name_Stream()
    {
        using var bench = new SqlBench();
        var error = Refused(() => bench.Read(Sql("SELECT zeroblob(3000000)", "SELECT zeroblob(2000000)")), ErrorCodes.ResultTooLarge);
        Assert.Contains("Stream", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, error.Error.StatementIndex);
        Assert.Equal(StatusCode.ResourceExhausted, error.Status);
        Assert.Equal("1", bench.Rows("SELECT 1"));
    }

    [Fact]
    public void The_bound_counts_no_less_than_the_message_has()
    {
        using var bench = new SqlBench();
        var request = Sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i * 987654321, i / 3.0, 'text ' || i, randomblob(i % 20), NULL, 'ä' FROM n");
        var size = bench.Read(request).Sum(result => result.CalculateSize() + 5);
        Refused(() => bench.Read(new SqlRequest(request.Statements) { MaxResultBytes = size - 200 }), ErrorCodes.ResultTooLarge);
        Assert.Single(bench.Read(new SqlRequest(request.Statements) { MaxResultBytes = size + (size / 5) }));
    }

    [Fact]
    public void Size_after_follows_the_file()
    {
        using var bench = new SqlBench(Schema);
        var before = bench.Read(Sql("SELECT 1"))[0].Meta.SizeAfter;
        var after = bench.Write(Sql("CREATE TABLE big AS SELECT zeroblob(100000) AS b"))[0].Meta.SizeAfter;
        Assert.True(after >= before + 100000, $"{before} and {after}");
        Assert.Equal(after, bench.Read(Sql("SELECT 1"))[0].Meta.SizeAfter);
        Assert.Equal(after, bench.Read(Sql("SELECT 1"))[0].Meta.SizeAfter);
    }

    [Fact]
    public void Text_that_is_not_valid_utf8_keeps_its_bytes()
    {
        using var bench = new SqlBench("CREATE TABLE x (a); INSERT INTO x VALUES (CAST(x'61ff62' AS TEXT)), ('fine'), (CAST(x'eda080' AS TEXT))");
        var column = bench.Read(Sql("SELECT a FROM x ORDER BY rowid"))[0].Rows.Columns[0];
        Assert.Equal(new byte[] { 5, 3, 5 }, column.Types_.ToByteArray());
        Assert.Equal("fine", Assert.Single(column.Texts));
        Assert.Equal(new byte[] { 0x61, 0xff, 0x62 }, column.Blobs[0].ToByteArray());
        Assert.Equal(new byte[] { 0xed, 0xa0, 0x80 }, column.Blobs[1].ToByteArray());
    }

    [Fact]
    public void Values_come_back_as_they_went_in()
    {
        using var bench = new SqlBench();
        object?[] values =
        [
            long.MaxValue, long.MinValue, 0L, -1L, 1.5, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.Epsilon, -0.0,
            "", "text", "nul \0 inside", "äöü 漢字 🙂", new string('x', 100_000), Array.Empty<byte>(), new byte[] { 0, 255 }, new byte[1_000_000], null,
        ];
        var sql = "SELECT " + string.Join(", ", values.Select(_ => "?"));
        var row = RowsOf(bench.Read(Bound(sql, values))[0].Rows)[0];
        for (var i = 0; i < values.Length; i++)
        {
            Assert.Equal(values[i] is byte[] bytes ? ByteString.CopyFrom(bytes) : values[i], row[i]);
        }
    }

    [Fact]
    public void Not_a_number_becomes_null()
    {
        using var bench = new SqlBench();
        Assert.Equal("NULL|null", Show(bench.Read(Bound("SELECT ?1, typeof(?1)", double.NaN))[0]));
    }

    [Fact]
    public void A_value_over_16_MiB_is_too_big()
    {
        using var bench = new SqlBench();
        var error = Refused(() => bench.Read(Bound("SELECT length(?)", new byte[(16 * 1024 * 1024) + 1])), "SQLITE_TOOBIG");
        Assert.Equal(SqliteCodes.TooBig, error.Error.SqliteCode);
        Refused(() => bench.Read(Sql("SELECT zeroblob(20000000)")), "SQLITE_TOOBIG");
        Assert.Equal("10000000", Show(bench.Read(Bound("SELECT length(?)", new byte[10_000_000]))[0]));
    }

    [Fact]
    public void A_batch_may_run_one_text_many_times()
    {
        using var bench = new SqlBench(Schema);
        var results = bench.Read(new SqlRequest([With("SELECT name FROM t WHERE id = ?", 1), With("", 2), With("SELECT name FROM t WHERE id = ?", 3), With("", 9)]));
        Assert.Equal(["one", "two", "three", ""], results.Select(Show));
    }
}
