using System.Globalization;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cli.Tests;

public sealed class SplitterTests
{
    public static TheoryData<string> Statements =>
    [
        "SELECT 1;",
        "INSERT INTO t VALUES('a;b','it''s; fine',\";\",[;],`;`);",
        "SELECT 1 /* ; */ -- ;\n+ 2;",
        "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; UPDATE t SET x=CASE WHEN 1 THEN 2 END; END;",
        "CREATE TEMP TRIGGER a AFTER INSERT ON t BEGIN SELECT ';END;'; END ;",
        "CREATE TEMPORARY TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; end\r\n;",
        "create trigger if not exists \"x;y\" after delete on t begin delete from u; /* ;END; */ END -- done\n;",
        "EXPLAIN CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END;",
        "EXPLAIN QUERY PLAN CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; END;",
        "EXPLAIN QUERY PLAN SELECT 1;",
        "CREATE TABLE trigger_log(\"end\" TEXT);",
        "CREATE TABLE [trigger](x);",
        "CREATE VIEW v AS SELECT CASE WHEN x THEN 1 ELSE 2 END FROM t;",
        "SELECT 'é—日本', x'00;';",
        "INSERT INTO t\r\nVALUES (1,\r\n  'two\r\nlines;');",
        "BEGIN;",
        "END;",
        "SELECT a.b - -1 / 2 FROM t;",
        "SELECT $v$;",
    ];

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_is_one_piece(string statement)
    {
        Assert.Equal([statement], Split(statement));
        Assert.True(StatementSplitter.IsComplete(statement));
    }

    [Theory]
    [MemberData(nameof(Statements))]
    public void No_prefix_of_a_statement_is_taken_for_a_statement(string statement)
    {
        for (var length = 0; length < statement.Length; length++)
            Assert.DoesNotContain(StatementSplitter.Split(statement[..length]), piece => piece.Kind == PieceKind.Statement);
    }

    [Fact]
    public void Joined_statements_split_back() => Seeds.ForEach(usual: 20, full: 500, seed =>
    {
        var random = new Random(seed);
        var statements = Statements.Select(row => row.Data).ToArray();
        string[] between = ["\n", " ", "\r\n", "\n-- a comment; with a semicolon\n", "/* ; */", ";", " ; \n", "\t\f", ""];
        for (var round = 0; round < 100; round++)
        {
            var chosen = Enumerable.Range(0, random.Next(1, 8)).Select(_ => statements[random.Next(statements.Length)]).ToArray();
            var text = string.Concat(chosen.Select(statement => between[random.Next(between.Length)] + statement)) + between[random.Next(between.Length)];
            Assert.True(chosen.SequenceEqual(Split(text)), string.Create(CultureInfo.InvariantCulture, $"round {round}: {text}"));
        }
    });

    [Theory]
    [InlineData("")]
    [InlineData("  \n\t")]
    [InlineData("-- only a comment")]
    [InlineData("/* only; */ ;; ;")]
    public void Nothing_to_run_is_no_piece(string text)
    {
        Assert.Empty(StatementSplitter.Split(text));
        Assert.True(StatementSplitter.IsComplete(text));
    }

    [Theory]
    [InlineData("SELECT 1; SELECT 'open")]
    [InlineData("SELECT 1; SELECT 2 -- no semicolon;")]
    [InlineData("SELECT 1; /* open")]
    [InlineData("/* open")]
    [InlineData("CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1;")]
    [InlineData("CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END;")]
    public void What_goes_on_is_not_complete(string text) => Assert.False(StatementSplitter.IsComplete(text));

    [Fact]
    public void A_last_statement_without_semicolon_counts_and_a_comment_behind_it_does_not()
    {
        var pieces = StatementSplitter.Split("SELECT 1;\nSELECT 2 -- the end;");
        Assert.Equal([PieceKind.Statement, PieceKind.Unfinished], pieces.Select(piece => piece.Kind));
        Assert.Equal(["SELECT 1;", "SELECT 2"], Split("SELECT 1;\nSELECT 2 -- the end;"));
    }

    [Fact]
    public void Dot_commands_stand_between_statements_only()
    {
        const string Text = ".mode csv\r\nSELECT 1\n.5;\n  .read it's \"a\" file\nSELECT '\n.mode x\n';";
        Assert.Equal([".mode csv", "SELECT 1\n.5;", ".read it's \"a\" file", "SELECT '\n.mode x\n';"], Split(Text));
    }

    private static IEnumerable<string> Split(string text) => StatementSplitter.Split(text).Select(piece => piece.In(text).ToString());
}
