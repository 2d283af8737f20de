using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>SQL against the rows that it reads and writes, by the rules at the head of native/0001-row-counters.patch.</summary>
public sealed class RowCountTests
{
    // Ten rows in each of the first four tables; n and k are 1,2,0,1,2,0,... and u is 101 to 110.
    internal const string Schema = """
        CREATE TABLE pk (id INTEGER PRIMARY KEY, n INTEGER, v TEXT);
        CREATE TABLE plain (a, b);
        CREATE TABLE indexed (id INTEGER PRIMARY KEY, k INTEGER, u INTEGER UNIQUE);
        CREATE INDEX by_k ON indexed (k);
        CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
        CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
        CREATE TABLE empty (id INTEGER PRIMARY KEY, v);
        CREATE TABLE log (x);
        CREATE TABLE watched (id INTEGER PRIMARY KEY, v);
        CREATE TRIGGER on_watched AFTER INSERT ON watched BEGIN
          INSERT INTO log VALUES (new.v);
          INSERT INTO log SELECT n FROM pk WHERE id = 1;
        END;
        CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id INTEGER PRIMARY KEY, p REFERENCES parent ON DELETE CASCADE);
        CREATE INDEX by_p ON child (p);
        CREATE VIRTUAL TABLE words USING fts5(body);
        CREATE VIEW pairs AS SELECT p.id, i.k FROM pk p JOIN indexed i ON i.id = p.id;
        WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 10) INSERT INTO pk SELECT i, i % 3, 'r' || i FROM c;
        INSERT INTO plain SELECT n, v FROM pk;
        INSERT INTO indexed SELECT id, id % 3, id + 100 FROM pk;
        INSERT INTO keyed SELECT 'k' || id, v FROM pk;
        INSERT INTO words SELECT 'word ' || v FROM pk;
        INSERT INTO parent VALUES (1), (2);
        INSERT INTO child VALUES (1, 1), (2, 1), (3, 2)
        """;

    [Theory]
    [InlineData("SELECT * FROM pk WHERE id = 3", 1)]
    [InlineData("SELECT * FROM pk WHERE id = 99", 1)]
    [InlineData("SELECT * FROM pk WHERE id = 'x'", 0)]
    [InlineData("SELECT * FROM plain WHERE rowid = 3", 1)]
    [InlineData("SELECT * FROM pk", 10)]
    [InlineData("SELECT * FROM empty", 0)]
    [InlineData("SELECT max(n) FROM pk", 10)]
    [InlineData("SELECT min(id) FROM pk", 1)]
    [InlineData("SELECT max(id) FROM pk", 1)]
    [InlineData("SELECT max(id) FROM empty", 0)]
    [InlineData("SELECT * FROM pk LIMIT 5", 5)]
    [InlineData("SELECT * FROM pk LIMIT 5 OFFSET 2", 7)]
    [InlineData("SELECT count(*) FROM pk", 10)]
    [InlineData("SELECT count(*) FROM empty", 0)]
    [InlineData("SELECT count(n) FROM pk", 10)]
    [InlineData("SELECT * FROM pk ORDER BY n", 10)]
    [InlineData("SELECT * FROM pk ORDER BY id DESC", 10)]
    [InlineData("SELECT DISTINCT n FROM pk", 10)]
    [InlineData("SELECT n, count(*) FROM pk GROUP BY n", 10)]
    [InlineData("SELECT * FROM pk WHERE id IN (1, 2, 3)", 3)]
    [InlineData("SELECT * FROM pk WHERE id BETWEEN 3 AND 5", 4)]
    [InlineData("SELECT * FROM pk WHERE id >= 9", 2)]
    [InlineData("SELECT * FROM indexed WHERE k = 1", 5)]
    [InlineData("SELECT * FROM indexed WHERE k = 7", 0)]
    [InlineData("SELECT * FROM indexed WHERE u = 105", 1)]
    [InlineData("SELECT * FROM indexed WHERE u = 999", 0)]
    [InlineData("SELECT * FROM indexed WHERE u > 108", 2)]
    [InlineData("SELECT min(k) FROM indexed", 1)]
    [InlineData("SELECT max(u) FROM indexed", 1)]
    [InlineData("SELECT * FROM pk JOIN indexed ON indexed.id = pk.id", 20)]
    [InlineData("SELECT * FROM pairs", 20)]
    [InlineData("SELECT count(*) FROM plain p JOIN plain q ON q.a = p.a", 20)]
    [InlineData("WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 100) SELECT sum(i) FROM c", 0)]
    [InlineData("VALUES (1), (2)", 0)]
    [InlineData("SELECT 1", 0)]
    [InlineData("SELECT value FROM json_each('[1,2,3]')", 3)]
    [InlineData("SELECT value FROM json_each('[]')", 0)]
    [InlineData("SELECT * FROM keyed WHERE k = 'k3'", 1)]
    [InlineData("SELECT * FROM keyed", 10)]
    [InlineData("SELECT * FROM words WHERE words MATCH 'word'", 10)]
    [InlineData("SELECT * FROM words WHERE words MATCH 'word' LIMIT 5", 5)]
    [InlineData("SELECT * FROM pk WHERE n IN (SELECT a FROM plain)", 20)]
    [InlineData("SELECT * FROM pk WHERE EXISTS (SELECT 1 FROM indexed WHERE indexed.id = pk.n)", 20)]
    [InlineData("SELECT n FROM pk UNION SELECT a FROM plain", 20)]
    [InlineData("SELECT id, sum(n) OVER (ORDER BY id) FROM pk", 10)]
    [InlineData("SELECT * FROM pragma_table_info('pk')", 3)]
    [InlineData("SELECT total(n) FROM (SELECT n FROM pk ORDER BY v LIMIT 3)", 10)]
    [InlineData("PRAGMA user_version", 0)]
    [InlineData("EXPLAIN SELECT * FROM pk", 0)]
    [InlineData("SELECT pk.id, k FROM pk LEFT JOIN indexed ON indexed.id = pk.id + 5", 20)]
    public void Reads_count_the_rows_that_were_looked_at(string sql, long read)
    {
        using var bench = new SqlBench(Schema);
        var onReader = bench.Read(Sql(sql))[0].Meta;
        var onWriter = bench.Write(Sql(sql))[0].Meta;
        Assert.Equal((read, 0L), Counts(onReader));
        Assert.Equal((read, 0L), Counts(onWriter));
        Assert.Equal((read, 0L), Counts(bench.Read(Sql(sql))[0].Meta)); // from the cache of statements: it starts at 0 again
    }

    [Theory]
    [InlineData("INSERT INTO pk VALUES (11, 1, 'x')", 1, 1)]
    [InlineData("INSERT INTO pk (n, v) VALUES (1, 'x')", 0, 1)]
    [InlineData("INSERT INTO plain VALUES (1, 2)", 0, 1)]
    [InlineData("INSERT INTO plain VALUES (1, 2), (3, 4), (5, 6)", 0, 3)]
    [InlineData("INSERT INTO indexed VALUES (11, 1, 1)", 1, 3)]
    [InlineData("INSERT INTO indexed (k, u) VALUES (1, 1)", 0, 3)]
    [InlineData("INSERT INTO keyed VALUES ('x', 1)", 0, 1)]
    [InlineData("INSERT INTO counted (v) VALUES (1)", 0, 2)]
    [InlineData("INSERT OR IGNORE INTO pk VALUES (3, 1, 'x')", 1, 0)]
    [InlineData("INSERT OR REPLACE INTO pk VALUES (3, 1, 'x')", 1, 1)]
    [InlineData("INSERT OR REPLACE INTO indexed VALUES (3, 1, 103)", 1, 5)]
    [InlineData("INSERT INTO pk VALUES (3, 1, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v", 1, 1)]
    [InlineData("INSERT INTO pk VALUES (11, 1, 'x') ON CONFLICT (id) DO UPDATE SET v = excluded.v", 1, 1)]
    [InlineData("INSERT INTO pk VALUES (3, 1, 'x') ON CONFLICT DO NOTHING", 1, 0)]
    [InlineData("INSERT INTO plain SELECT n, v FROM pk", 10, 10)]
    [InlineData("INSERT INTO empty SELECT id, v FROM pk", 20, 10)]
    [InlineData("INSERT INTO pk VALUES (11, 1, 'x') RETURNING id", 1, 1)]
    [InlineData("UPDATE pk SET v = 'x' WHERE id = 3", 1, 1)]
    [InlineData("UPDATE pk SET v = 'x' WHERE id = 99", 1, 0)]
    [InlineData("UPDATE pk SET v = 'x'", 10, 10)]
    [InlineData("UPDATE pk SET id = 20 WHERE id = 3", 3, 2)]
    [InlineData("UPDATE indexed SET k = 7 WHERE id = 3", 1, 3)]
    [InlineData("UPDATE indexed SET k = k WHERE id = 3", 1, 3)]
    [InlineData("UPDATE plain SET b = 1 WHERE a = 1", 10, 4)]
    [InlineData("UPDATE keyed SET v = 1 WHERE k = 'k3'", 1, 1)]
    [InlineData("DELETE FROM pk WHERE id = 3", 1, 1)]
    [InlineData("DELETE FROM pk WHERE id = 99", 1, 0)]
    [InlineData("DELETE FROM pk WHERE n = 1", 10, 4)]
    [InlineData("DELETE FROM pk", 0, 10)]
    [InlineData("DELETE FROM pk WHERE 1", 10, 10)]
    [InlineData("DELETE FROM pk RETURNING id", 20, 10)]
    [InlineData("DELETE FROM empty", 0, 0)]
    [InlineData("DELETE FROM indexed WHERE id = 3", 1, 3)]
    [InlineData("DELETE FROM indexed", 0, 30)]
    [InlineData("DELETE FROM keyed", 0, 10)]
    [InlineData("DELETE FROM keyed WHERE k = 'k3'", 1, 1)]
    [InlineData("INSERT INTO watched VALUES (1, 1)", 2, 3)]
    [InlineData("DELETE FROM parent WHERE id = 1", 11, 5)]
    [InlineData("INSERT INTO child VALUES (9, 1)", 2, 2)]
    [InlineData("INSERT INTO words VALUES ('x')", 0, 1)]
    [InlineData("DELETE FROM words WHERE rowid = 1", 1, 1)]
    [InlineData("CREATE TABLE x (a)", 1, 2)]
    [InlineData("CREATE INDEX x ON pk (n)", 10, 11)]
    [InlineData("REINDEX by_k", 10, 20)]
    [InlineData("PRAGMA user_version = 7", 0, 0)]
    [InlineData("CREATE TEMP TABLE x (a)", 1, 2)]
    [InlineData("UPDATE pk SET v = u FROM indexed WHERE indexed.id = pk.id AND pk.id < 4", 10, 3)]
    public void Writes_count_the_rows_of_tables_and_indexes(string sql, long read, long written)
    {
        using var bench = new SqlBench(Schema);
        Assert.Equal((read, written), Counts(bench.Write(Sql(sql))[0].Meta));
    }

    [Fact]
    public void Each_statement_of_a_batch_or_script_has_its_own_counts()
    {
        using var bench = new SqlBench(Schema);
        var batch = bench.Write(Sql("SELECT * FROM pk", "INSERT INTO pk VALUES (11, 1, 'x')", "INSERT INTO pk VALUES (12, 1, 'x')", "SELECT * FROM pk"));
        Assert.Equal([(10, 0), (1, 1), (1, 1), (12, 0)], batch.Select(result => Counts(result.Meta)));
        var script = bench.Write(Script("DELETE FROM pk; SELECT count(*) FROM pk; INSERT INTO pk (n) VALUES (1); SELECT * FROM pk"));
        Assert.Equal([(0, 12), (0, 0), (0, 1), (1, 0)], script.Select(result => Counts(result.Meta)));
        Assert.Equal([(1, 0), (10, 0)], bench.Read(Script("SELECT * FROM pk; SELECT * FROM plain")).Select(result => Counts(result.Meta)));
    }

    [Fact]
    public void A_streamed_read_counts_all_its_batches()
    {
        using var bench = new SqlBench(Schema);
        Assert.True(PreparedRead.TryPrepare(bench.Reader, new SqlRequest([With("SELECT * FROM pk")]) { BatchRows = 3 }, null, out var read));
        using (read)
        {
            Meta? end = null;
            while (read!.MoveNext())
            {
                end = read.Current.End ?? end;
            }

            Assert.Equal((10, 0), Counts(end!));
        }
    }

    [Fact]
    public void A_statement_that_failed_or_was_left_leaves_no_counts_to_the_next_run()
    {
        using var bench = new SqlBench(Schema);
        const string Insert = "INSERT INTO pk SELECT id + ?, n, v FROM indexed JOIN pk USING (id)";
        Assert.Throws<Protocol.RequestException>(() => bench.Write(Bound(Insert, 5)));
        Assert.Equal(10, Assert.Single(bench.Write(Bound(Insert, 100))).Meta.RowsWritten);
        Assert.True(PreparedRead.TryPrepare(bench.Reader, new SqlRequest([With("SELECT * FROM plain")]) { BatchRows = 3 }, null, out var left));
        using (left)
        {
            Assert.True(left!.MoveNext() && left.MoveNext());
        }

        Assert.Equal((10, 0), Counts(bench.Read(Sql("SELECT * FROM plain"))[0].Meta));
    }

    [Fact]
    public void A_statement_prepared_again_keeps_counting()
    {
        using var bench = new SqlBench(Schema);
        Assert.Equal((10, 0), Counts(bench.Read(Sql("SELECT * FROM plain"))[0].Meta));
        bench.Write(Sql("ALTER TABLE plain ADD COLUMN c"));
        Assert.Equal((10, 0), Counts(bench.Read(Sql("SELECT * FROM plain"))[0].Meta));
    }

    [Fact]
    public void Without_the_patch_the_counts_are_absent()
    {
        Assert.True(RowCounts.AreAvailable);
        Assert.Equal("False, absent, absent, 10 rows", UnpatchedSqlite.Run(typeof(RowCountTests), nameof(Describe)));
        Assert.Equal("True, 10, 0, 10 rows", Describe());
    }

    /// <summary>What a read of ten rows reports, in words that cross from one copy of the assemblies to another.</summary>
    public static string Describe()
    {
        using var bench = new SqlBench(Schema);
        var result = bench.Read(Sql("SELECT * FROM pk"))[0];
        return $"{RowCounts.AreAvailable}, {(result.Meta.HasRowsRead ? result.Meta.RowsRead : "absent")}, " +
            $"{(result.Meta.HasRowsWritten ? result.Meta.RowsWritten : "absent")}, {result.Rows.RowCount} rows";
    }

    private static (long Read, long Written) Counts(Meta meta)
    {
        Assert.True(meta.HasRowsRead && meta.HasRowsWritten, "The SQLite in use does not count rows.");
        return (meta.RowsRead, meta.RowsWritten);
    }
}
