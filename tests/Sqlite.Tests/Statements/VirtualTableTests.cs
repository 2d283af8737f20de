using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>Full-text and R-Tree tables on connections that stay open while another one writes.</summary>
public sealed class VirtualTableTests
{
    private const string Schema = "CREATE VIRTUAL TABLE q USING fts5 (body); CREATE VIRTUAL TABLE r USING rtree (id, low, high)";

    [Theory]
    [InlineData("PRAGMA integrity_check")]
    [InlineData("PRAGMA Integrity_Check(q)")]
    [InlineData("PRAGMA main.quick_check")]
    [InlineData("SELECT * FROM pragma_integrity_check")]
    [InlineData("SELECT * FROM Pragma_Quick_Check('q')")]
    [InlineData("WITH found AS (SELECT quick_check FROM pragma_quick_check) SELECT * FROM found")]
    public void A_check_on_a_reader_knows_what_was_written_to_a_full_text_table_since_its_last_look(string check)
    {
        using var bench = new SqlBench(Schema);
        Assert.Equal("ok", bench.Rows(check));
        for (var i = 0; i < 20; i++)
        {
            bench.Write(Script("INSERT INTO q VALUES ('some words'); INSERT INTO r VALUES (NULL, 1, 2)"));
            Assert.Equal("ok", bench.Rows(check));
        }

        Assert.Equal("20", bench.Rows("SELECT count(*) FROM q WHERE q MATCH 'some'"));
    }

    [Fact]
    public void A_check_in_the_middle_of_a_snapshot_sees_the_snapshot()
    {
        using var bench = new SqlBench(Schema);
        Assert.Equal("ok", bench.Rows("PRAGMA integrity_check"));
        Assert.True(PreparedRead.TryPrepare(bench.Reader, Sql("SELECT count(*) FROM q WHERE q MATCH 'words'", "PRAGMA integrity_check", "SELECT count(*) FROM q WHERE q MATCH 'words'"), null, out var read));
        using (read)
        {
            bench.Write(Sql("INSERT INTO q VALUES ('some words')"));
            read!.BeginSnapshot();
            bench.Write(Sql("INSERT INTO q VALUES ('more words')"));
            Assert.Equal(["1", "ok", "1"], ResultCollector.Collect(read, int.MaxValue).Select(result => Show(result)));
        }

        Assert.Equal("2", bench.Rows("SELECT count(*) FROM q WHERE q MATCH 'words'"));
    }

    [Fact]
    public void A_check_between_the_writes_of_one_request_knows_what_is_not_in_the_file_yet()
    {
        using var bench = new SqlBench(Schema);
        var results = bench.Write(Sql("INSERT INTO q VALUES ('some words')", "SELECT integrity_check FROM pragma_integrity_check", "INSERT INTO q VALUES ('more words')", "PRAGMA integrity_check"));
        Assert.Equal(("ok", "ok"), (Show(results[1]), Show(results[3])));
        Assert.Equal("2", bench.Rows("SELECT count(*) FROM q WHERE q MATCH 'words'"));
    }

    [Fact]
    public void Damage_is_found_by_every_check()
    {
        using var bench = new SqlBench(Schema);
        bench.Write(Script("INSERT INTO q VALUES ('some words'); INSERT INTO r VALUES (1, 1, 2)"));
        Assert.Equal("ok", bench.Rows("PRAGMA integrity_check"));
        using (var other = SqliteConnection.Open(bench.Path))
        {
            other.SetConfig(SqliteCodes.ConfigDefensive, 0); // else it would refuse to write into the index itself
            other.Execute("UPDATE q_content SET c0 = 'other words'");
        }

        Assert.Contains("checksum mismatch for table \"q\"", bench.Rows("PRAGMA integrity_check"), StringComparison.Ordinal);
        Assert.Contains("checksum mismatch for table \"q\"", bench.Rows("SELECT * FROM pragma_quick_check"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_replicas_readers_find_and_check_what_was_applied_since_their_last_look()
    {
        using var folder = new TemporaryFolder();
        using var pair = new ReplicaPair(folder.Root);
        pair.Applier.Confirm(pair.Ship(Schema));
        using var reader = QueryConnection.OpenForReading(pair.ReplicaPath);
        for (var i = 1; i <= 50; i++)
        {
            var hidden = pair.Ship($"INSERT INTO q VALUES ('some words'); INSERT INTO r VALUES ({i}, {i}, {i + 1})");
            Assert.Equal($"{i - 1} ok", Look(reader));
            pair.Applier.Confirm(hidden);
            Assert.Equal($"{i} ok", Look(reader));
            if (i % 10 == 0)
            {
                pair.ApplierConnection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
            }
        }
    }

    private static string Look(QueryConnection reader)
    {
        Assert.True(PreparedRead.TryPrepare(reader, Sql("SELECT count(*) FROM q WHERE q MATCH 'some'", "PRAGMA integrity_check"), null, out var read));
        using (read)
        {
            return string.Join(' ', ResultCollector.Collect(read!, int.MaxValue).Select(result => Show(result)));
        }
    }
}
