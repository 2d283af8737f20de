using System.Text;

namespace ReplicatedSqlite.Cli.Tests;

public sealed class LoadPlanTests
{
    private const string Dump = """
        PRAGMA foreign_keys=OFF;
        BEGIN TRANSACTION;
        CREATE TABLE child(x REFERENCES parent(id));
        INSERT INTO child VALUES(1);
        CREATE TABLE parent(id INTEGER PRIMARY KEY);
        INSERT INTO parent VALUES(1);
        DELETE FROM sqlite_sequence;
        CREATE TRIGGER tr AFTER INSERT ON child BEGIN SELECT CASE WHEN 1 THEN 2 END; END;
        CREATE INDEX ix ON child(x);
        COMMIT;
        """;

    [Fact]
    public void A_dump_is_one_transaction_with_deferred_keys_and_its_tables_first()
    {
        var step = Assert.Single(LoadPlan.Make(new SourceText("d.sql", Dump)));
        Assert.True(step.Script!.IsTransaction);
        Assert.Equal(
            """
            PRAGMA defer_foreign_keys=ON;
            CREATE TABLE child(x REFERENCES parent(id));
            CREATE TABLE parent(id INTEGER PRIMARY KEY);
            INSERT INTO child VALUES(1);
            INSERT INTO parent VALUES(1);
            DELETE FROM sqlite_sequence;
            CREATE TRIGGER tr AFTER INSERT ON child BEGIN SELECT CASE WHEN 1 THEN 2 END; END;
            CREATE INDEX ix ON child(x);
            """,
            step.Script.Sql);
    }

    [Fact]
    public void Errors_in_a_dump_are_found_in_the_file_although_its_tables_moved()
    {
        var source = new SourceText("d.sql", Dump);
        var script = LoadPlan.Make(source)[0].Script!;
        Assert.Equal([1, 3, 5, 4, 6, 7, 8, 9], Enumerable.Range(0, 8).Select(i => source.LineAt(script.FindInSource(i, -1)!.Value)));
        var offset = Encoding.UTF8.GetByteCount(script.Sql[..script.Sql.IndexOf("INTO parent", StringComparison.Ordinal)]);
        var place = script.FindInSource(4, offset)!.Value;
        Assert.Equal((6, 8), (source.LineAt(place), source.ColumnAt(place)));
    }

    [Fact]
    public void A_transaction_that_does_more_than_a_dump_keeps_its_order()
    {
        const string Text = "PRAGMA foreign_keys=OFF; BEGIN; DROP TABLE IF EXISTS a; CREATE TABLE a(x); INSERT INTO a VALUES(1); CREATE TABLE b AS SELECT * FROM a; COMMIT;";
        Assert.Equal(
            "PRAGMA defer_foreign_keys=ON;\nDROP TABLE IF EXISTS a;\nCREATE TABLE a(x);\nINSERT INTO a VALUES(1);\nCREATE TABLE b AS SELECT * FROM a;",
            Assert.Single(LoadPlan.Make(new SourceText("", Text))).Script!.Sql);
    }

    [Fact]
    public void A_transaction_without_the_pragma_checks_keys_at_once()
    {
        var steps = LoadPlan.Make(new SourceText("", "SELECT 1; BEGIN IMMEDIATE; INSERT INTO t VALUES(1); END; SELECT 2;"));
        Assert.Equal(["SELECT 1;", "INSERT INTO t VALUES(1);", "SELECT 2;"], steps.Select(step => step.Script!.Sql));
        Assert.Equal([false, true, false], steps.Select(step => step.Script!.IsTransaction));
    }

    [Fact]
    public void VACUUM_is_sent_alone() => Assert.Equal(
        ["SELECT 1;", "VACUUM;", "SELECT 2;\nSELECT 3;"],
        LoadPlan.Make(new SourceText("", "SELECT 1; VACUUM; SELECT 2; SELECT 3;")).Select(step => step.Script!.Sql));

    [Theory]
    [InlineData("BEGIN; INSERT INTO t VALUES(1);", "no COMMIT")]
    [InlineData("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t(x);\nROLLBACK; -- due to errors", "ends with ROLLBACK")]
    [InlineData("BEGIN;\n.mode csv\nCOMMIT;", "dot command")]
    public void A_transaction_that_cannot_be_whole_is_refused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<LoadException>(() => LoadPlan.Make(new SourceText("", text))).Message, StringComparison.Ordinal);

    [Fact]
    public void Long_files_are_cut_between_statements_and_nothing_is_lost()
    {
        var statements = Enumerable.Range(0, 500).Select(i => $"INSERT INTO t VALUES({i}, 'x;y'); -- {i}").ToArray();
        var source = new SourceText("", string.Join('\n', statements));
        var scripts = LoadPlan.Make(source, chunkCharacters: 1000, maxScriptBytes: 5000).Select(step => step.Script!).ToArray();
        Assert.True(scripts.Length > 10);
        Assert.All(scripts, script => Assert.InRange(script.SizeBytes, 1, 1100));
        Assert.Equal(
            Enumerable.Range(0, 500).Select(i => $"INSERT INTO t VALUES({i}, 'x;y');"),
            scripts.SelectMany(script => script.Sql.Split('\n')));
        Assert.Equal(1, scripts[0].FirstLine);
        Assert.Equal(scripts[0].LastLine + 1, scripts[1].FirstLine);
        Assert.Equal(500, scripts[^1].LastLine);
    }

    [Fact]
    public void What_does_not_fit_a_request_is_refused_with_its_line()
    {
        var big = new string('x', 6000);
        var transaction = Assert.Throws<LoadException>(() => LoadPlan.Make(new SourceText("", $"SELECT 1;\nBEGIN;\nSELECT '{big}';\nCOMMIT;"), 1000, 5000));
        Assert.Contains("one transaction", transaction.Message, StringComparison.Ordinal);
        var statement = Assert.Throws<LoadException>(() => LoadPlan.Make(new SourceText("", $"SELECT 1;\nSELECT '{big}';"), 1000, 5000));
        Assert.Equal("SELECT 1;\n".Length, statement.Position);
    }

    [Fact]
    public void Bytes_and_characters_are_told_apart_when_a_place_is_looked_up()
    {
        const string Text = "SELECT '日本';\nSELECT 'é' FORM t;";
        var source = new SourceText("", Text);
        var script = Assert.Single(LoadPlan.Make(source)).Script!;
        var offset = Encoding.UTF8.GetByteCount(Text[..Text.IndexOf("FORM", StringComparison.Ordinal)]);
        Assert.Equal(Text.IndexOf("FORM", StringComparison.Ordinal), script.FindInSource(1, offset));
    }

    [Fact]
    public void The_sample_database_splits_into_its_statements()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "../../../../../../shared/data/chinook.sql");
        if (!File.Exists(path)) Assert.Skip("There is no ../shared/data/chinook.sql beside the repository.");
        var source = new SourceText("chinook.sql", File.ReadAllText(path));
        var steps = LoadPlan.Make(source);
        Assert.All(steps, step => Assert.NotNull(step.Script));
        Assert.Equal(11, steps.Sum(step => StatementSplitter.Split(step.Script!.Sql).Count(p => LeadingWords.Of(p.In(step.Script.Sql), 2) is ["CREATE", "TABLE"])));
        Assert.All(steps, step => Assert.InRange(step.Script!.SizeBytes, 1, 2 * LoadPlan.ChunkCharacters));
    }
}
