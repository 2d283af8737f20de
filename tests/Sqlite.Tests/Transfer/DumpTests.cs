using System.Text;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>A dump makes the database again, here and in the shell of SQLite itself.</summary>
public sealed class DumpTests : IDisposable
{
    private const string Everything =
        """"
        CREATE TABLE plain (id INTEGER PRIMARY KEY AUTOINCREMENT, "quoted ""name""" TEXT, r REAL, b BLOB, n, up TEXT GENERATED ALWAYS AS (upper("quoted ""name""")) STORED);
        INSERT INTO plain (id, "quoted ""name""", r, b, n) VALUES
          (1, 'it''s; -- no comment', 1.0, x'00ff10', NULL), (7, 'line' || char(10) || 'two', 0.1, x'', 9223372036854775807),
          (8, char(0) || 'nul', 1e300, NULL, -9223372036854775808), (9, CAST(x'ff61' AS TEXT), 9e999, zeroblob(3), 1.5), (20, '', -9e999, NULL, 'é');
        DELETE FROM plain WHERE id = 20;
        CREATE TABLE kv (k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
        INSERT INTO kv VALUES ('a', 1), ('b', 'x'), ('c', x'01');
        CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES plain ON DELETE CASCADE);
        INSERT INTO child VALUES (1, 7), (2, 8);
        CREATE INDEX child_parent ON child (parent) WHERE parent > 0;
        CREATE VIEW both_of_them AS SELECT p.id, c.id AS child FROM plain p JOIN child c ON c.parent = p.id;
        CREATE TRIGGER child_insert AFTER INSERT ON child BEGIN
          INSERT INTO kv VALUES ('t' || new.id, CASE WHEN new.parent = 7 THEN ';' ELSE 'END;' END);
        END;
        CREATE VIRTUAL TABLE own USING fts5(title, body, tokenize = 'porter');
        INSERT INTO own (rowid, title, body) VALUES (3, 'first', 'the quick brown fox'), (9, 'second', 'jumps; over');
        INSERT INTO own (own, rank) VALUES ('pgsz', 1000);
        CREATE VIRTUAL TABLE theirs USING fts5(v, content = 'texts', content_rowid = 'id');
        CREATE TABLE texts (id INTEGER PRIMARY KEY, v);
        INSERT INTO texts VALUES (5, 'lazy dogs'), (6, 'quick cats');
        INSERT INTO theirs (theirs) VALUES ('rebuild');
        CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, +label TEXT);
        INSERT INTO boxes VALUES (1, 0.25, 1.1, 'a'), (2, -5, 3.3, 'b');
        """";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_dumped_is_what_comes_back_full_text_included()
    {
        var original = Make("original.sqlite", Everything + "CREATE VIRTUAL TABLE bare USING fts5(x, content = ''); INSERT INTO bare (rowid, x) VALUES (4, 'only an index');");
        var sql = Dump(original);
        var copy = _folder.File("copy.sqlite");
        ImportedImage.FromSql(copy, new MemoryStream(sql), 4096, CancellationToken.None);

        Assert.Equal(Encoding.UTF8.GetString(sql), Encoding.UTF8.GetString(Dump(copy)));
        using var connection = SqliteConnection.OpenAlone(copy);
        Assert.Equal("ok", connection.QueryText("PRAGMA integrity_check"));
        Assert.Equal(1, connection.QueryInteger("SELECT count(*) FROM own WHERE own MATCH 'foxes'"));
        Assert.Equal(6, connection.QueryInteger("SELECT rowid FROM theirs WHERE theirs MATCH 'quick'"));
        Assert.Equal(4, connection.QueryInteger("SELECT rowid FROM bare WHERE bare MATCH 'index'"));
        Assert.Equal(1, connection.QueryInteger("SELECT count(*) FROM boxes WHERE x0 < -4 AND label = 'b'"));
        Assert.Equal(20, connection.QueryInteger("SELECT seq FROM sqlite_sequence WHERE name = 'plain'"));
        Assert.Equal(1, connection.QueryInteger("SELECT hex(\"quoted \"\"name\"\"\") = '006E756C' AND typeof(\"quoted \"\"name\"\"\") = 'text' FROM plain WHERE id = 8"));
    }

    [Fact]
    public void The_text_is_valid_UTF_8_and_keeps_reals_and_integers_apart()
    {
        var sql = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Dump(Make("original.sqlite", Everything)));
        Assert.StartsWith("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", sql, StringComparison.Ordinal);
        Assert.EndsWith("COMMIT;\n", sql, StringComparison.Ordinal);
        Assert.Contains(",1.0,X'00FF10',NULL)", sql, StringComparison.Ordinal);
        Assert.Contains("9.0e+999", sql, StringComparison.Ordinal);
        Assert.Contains("CAST(X'FF61' AS TEXT)", sql, StringComparison.Ordinal);
        Assert.DoesNotContain("own_data", sql, StringComparison.Ordinal);
    }

    [Fact]
    public void The_shell_of_SQLite_reads_it_and_what_the_shell_writes_is_read()
    {
        var original = Make("original.sqlite", Everything);
        var copy = _folder.File("by-shell.sqlite");
        Assert.Equal("", Shell(copy, Encoding.UTF8.GetString(Dump(original))));
        Assert.Equal(Encoding.UTF8.GetString(Dump(original)), Encoding.UTF8.GetString(Dump(copy)));

        // The shell writes the tables behind a virtual one, and the schema by hand.
        var theirs = Shell(original, ".dump");
        Assert.Contains("writable_schema", theirs, StringComparison.Ordinal);
        var back = _folder.File("back.sqlite");
        ImportedImage.FromSql(back, new MemoryStream(Encoding.UTF8.GetBytes(theirs)), 4096, CancellationToken.None);
        using var connection = SqliteConnection.OpenAlone(back);
        Assert.Equal(1, connection.QueryInteger("SELECT count(*) FROM own WHERE own MATCH 'foxes'"));
        Assert.Equal(4, connection.QueryInteger("SELECT count(*) FROM plain"));
    }

    [Fact]
    public void Parts_of_it_can_be_left_out()
    {
        var original = Make("original.sqlite", Everything);
        var rows = Encoding.UTF8.GetString(Dump(original, new SqlDumpOptions { OmitSchema = true, OmitTransaction = true }));
        Assert.StartsWith("PRAGMA defer_foreign_keys=TRUE;\nINSERT", rows, StringComparison.Ordinal);
        Assert.DoesNotContain("CREATE", rows, StringComparison.Ordinal);
        var schema = Encoding.UTF8.GetString(Dump(original, new SqlDumpOptions { OmitData = true }));
        Assert.DoesNotContain("INSERT INTO \"", schema, StringComparison.Ordinal);
        Assert.Contains("CREATE TRIGGER child_insert", schema, StringComparison.Ordinal);
        var one = Encoding.UTF8.GetString(Dump(original, new SqlDumpOptions { Tables = ["CHILD"] }));
        Assert.Contains("child_parent", one, StringComparison.Ordinal);
        Assert.DoesNotContain("plain\" (", one, StringComparison.Ordinal);
        Assert.Contains("nope", Assert.Throws<RequestException>(() => Dump(original, new SqlDumpOptions { Tables = ["nope"] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_that_refer_to_later_ones_or_to_each_other_come_back_where_keys_are_enforced()
    {
        var original = Make("original.sqlite", """
            CREATE TABLE child (id INTEGER PRIMARY KEY, owner REFERENCES Owner); CREATE TABLE owner (id INTEGER PRIMARY KEY, first REFERENCES child);
            INSERT INTO child VALUES (1, 5), (2, 5); INSERT INTO owner VALUES (5, 2);
            """);
        var options = new SqlDumpOptions { OmitTransaction = true };
        var sql = Encoding.UTF8.GetString(Dump(original, options));
        var copy = Make("copy.sqlite", "PRAGMA foreign_keys=ON; BEGIN;" + sql + "COMMIT");
        Assert.Equal(sql, Encoding.UTF8.GetString(Dump(copy, options)));
    }

    private string Make(string name, string sql)
    {
        var path = _folder.File(name);
        using var connection = SqliteConnection.OpenAlone(path, create: true);
        connection.Execute(sql);
        return path;
    }

    private static byte[] Dump(string path, SqlDumpOptions? options = null)
    {
        using var bytes = new MemoryStream();
        SqlDump.Write(path, bytes, options ?? new SqlDumpOptions(), CancellationToken.None);
        return bytes.ToArray();
    }

    private static string Shell(string path, string input)
    {
        using var shell = new System.Diagnostics.Process
        {
            StartInfo = new("sqlite3", ["-bail", path]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardInputEncoding = new UTF8Encoding(false), StandardOutputEncoding = Encoding.UTF8 },
        };
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "sqlite3"))), "There is no sqlite3 shell on this machine.");
        shell.Start();
        var output = shell.StandardOutput.ReadToEndAsync();
        var errors = shell.StandardError.ReadToEndAsync();
        shell.StandardInput.Write(input);
        shell.StandardInput.Close();
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
        return output.GetAwaiter().GetResult() + errors.GetAwaiter().GetResult();
    }
}
