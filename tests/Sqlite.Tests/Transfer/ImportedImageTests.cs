using System.Text;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>What somebody sends becomes a whole database, or nothing.</summary>
public sealed class ImportedImageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File1 => _folder.File("new.sqlite");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Statements_are_told_apart_wherever_a_read_cuts_them()
    {
        var text = new StringBuilder("\ufeff-- a comment; with a semicolon\r\nBEGIN;\r\nCREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); /* ; */\r\nCREATE TRIGGER g AFTER INSERT ON t WHEN new.id = 1 BEGIN\r\n  SELECT CASE WHEN 1 THEN 'END;' END;\r\nEND;\r\n");
        for (var i = 1; i <= 2000; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"INSERT INTO t VALUES ({i}, 'it''s; é {new string('x', i % 700)}') -- ; {i}\n;\n");
        }

        text.Append("COMMIT;\n-- the end, without a line end");
        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        foreach (var step in new[] { 1, 7, 4096, int.MaxValue })
        {
            File.Delete(File1);
            var outcome = ImportedImage.FromSql(File1, new DrippingStream(bytes, step), 4096, CancellationToken.None);
            Assert.Equal(2004, outcome.Statements);
            Assert.Equal(2000, outcome.Changes);
            using var connection = SqliteConnection.OpenAlone(File1);
            Assert.Equal(2000, connection.QueryInteger("SELECT count(*) FROM t WHERE v LIKE 'it''s; é %'"));
        }
    }

    [Fact]
    public void A_statement_longer_than_the_window_is_read_whole()
    {
        var sql = $"CREATE TABLE t (v); INSERT INTO t VALUES ('{new string('a', 5 << 20)}'); INSERT INTO t VALUES (1)";
        Assert.Equal(3, ImportedImage.FromSql(File1, new MemoryStream(Encoding.UTF8.GetBytes(sql)), 4096, CancellationToken.None).Statements);
    }

    [Theory]
    [InlineData("CREATE TABLE t (v); INSERT INTO nope VALUES (1)", ErrorCodes.SqliteError, "no such table: nope")]
    [InlineData("CREATE TABLE t (v UNIQUE); INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)", "SQLITE_CONSTRAINT_UNIQUE", "t.v")]
    [InlineData("SELEC 1", ErrorCodes.SqliteError, "syntax error")]
    [InlineData("SELECT 1; SELECT (", ErrorCodes.SqliteError, "incomplete input")]
    [InlineData("CREATE TABLE t (v); INSERT INTO t VALUES (?)", ErrorCodes.Parameters, "no parameters")]
    [InlineData("CREATE TABLE t (v); ROLLBACK; -- due to errors", ErrorCodes.SqliteAuth, "rolls back")]
    [InlineData("ATTACH '/tmp/x' AS x", ErrorCodes.SqliteAuth, "ATTACH")]
    [InlineData("VACUUM INTO '/tmp/x'", ErrorCodes.InvalidRequest, "VACUUM")]
    [InlineData("SELECT load_extension('x')", ErrorCodes.SqliteAuth, "load_extension")]
    [InlineData("UPDATE sqlite_dbpage SET data = zeroblob(4096)", ErrorCodes.SqliteAuth, "sqlite_dbpage")]
    [InlineData("CREATE TABLE _rs_mine (x)", ErrorCodes.SqliteAuth, "_rs_")]
    [InlineData("PRAGMA temp_store_directory = '/tmp'", ErrorCodes.SqliteAuth, "temp_store_directory")]
    [InlineData("CREATE TABLE t (v); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 77", ErrorCodes.InvalidRequest, "damaged")]
    [InlineData("SELECT 1;\0SELECT 2", ErrorCodes.InvalidRequest, "NUL")]
    public void Bad_SQL_is_refused_and_says_why(string sql, string code, string word)
    {
        var refused = Assert.Throws<RequestException>(() => ImportedImage.FromSql(File1, new MemoryStream(Encoding.UTF8.GetBytes(sql)), 4096, CancellationToken.None));
        Assert.Equal(code, refused.Error.Code);
        Assert.Contains(word, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_is_no_UTF_8_is_refused_and_so_is_an_image()
    {
        var text = "SELECT 1; SELECT '?'"u8.ToArray();
        text[^2] = 0xff;
        Assert.Contains("UTF-8", Assert.Throws<RequestException>(() => ImportedImage.FromSql(File1, new MemoryStream(text), 4096, CancellationToken.None)).Message, StringComparison.Ordinal);
        File.Delete(File1);
        Assert.Contains("NUL", Assert.Throws<RequestException>(() => ImportedImage.FromSql(File1, new MemoryStream("SQLite format 3\0"u8.ToArray()), 4096, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_dump_makes_an_empty_database()
    {
        ImportedImage.FromSql(File1, new MemoryStream("PRAGMA foreign_keys=OFF; BEGIN TRANSACTION; COMMIT;"u8.ToArray()), 8192, CancellationToken.None);
        Assert.Equal(8192, ImportedImage.FromImage(File1, null));
    }

    [Fact]
    public void A_caller_that_gives_up_interrupts_it()
    {
        using var gone = new CancellationTokenSource();
        gone.Cancel();
        Assert.Throws<OperationCanceledException>(() => ImportedImage.FromSql(
            File1, new MemoryStream("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"u8.ToArray()), 4096, gone.Token));
    }

    [Fact]
    public void An_image_loses_the_servers_own_tables_and_gets_the_page_size_that_is_wanted()
    {
        using (var made = SqliteConnection.Open(File1, create: true, pageSizeBytes: 1024))
        {
            made.Execute("CREATE TABLE t (v); INSERT INTO t SELECT value FROM json_each('[1,2,3]'); CREATE TABLE _rs_requests (key TEXT PRIMARY KEY, secret TEXT); INSERT INTO _rs_requests VALUES ('k', 'hidden words')");
            made.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }

        Assert.Equal(1024, ImportedImage.FromImage(File1, null));
        Assert.Equal(4096, ImportedImage.FromImage(File1, 4096));
        using var connection = SqliteConnection.OpenAlone(File1);
        Assert.Equal(3, connection.QueryInteger("SELECT count(*) FROM t"));
        Assert.Equal(0, connection.QueryInteger("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%rs_requests%'"));
        Assert.Equal("delete", SqliteModeOf(File1));
        Assert.DoesNotContain("hidden words", Encoding.Latin1.GetString(File.ReadAllBytes(File1)), StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_images_are_refused()
    {
        using (var made = SqliteConnection.OpenAlone(File1, create: true))
        {
            made.Execute("CREATE TABLE t (v); CREATE INDEX i ON t (v); INSERT INTO t SELECT randomblob(100) FROM json_each(json_array(" + string.Join(',', Enumerable.Range(0, 1000)) + "))");
        }

        var whole = File.ReadAllBytes(File1);
        Refused(whole[..^1], "cut short");
        Refused(whole[..(whole.Length / 4096 / 2 * 4096)], "damaged");
        Refused([.. whole[..4096], .. new byte[4096], .. whole[8192..]], "damaged");
        Refused("CREATE TABLE t (v)"u8.ToArray(), "no SQLite database");
        Refused([], "no SQLite database");

        void Refused(byte[] bytes, string word)
        {
            File.WriteAllBytes(File1, bytes);
            Assert.Contains(word, Assert.Throws<RequestException>(() => ImportedImage.FromImage(File1, null)).Message, StringComparison.Ordinal);
        }
    }

    private static string SqliteModeOf(string path) => File.ReadAllBytes(path)[18] == 1 ? "delete" : "wal";

    // Gives a few bytes at a time.
    private sealed class DrippingStream(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, step)]);
    }
}
