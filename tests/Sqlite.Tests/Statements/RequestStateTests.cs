using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>What one client sets, the next does not meet.</summary>
public sealed class RequestStateTests
{
    private const string Switches = "foreign_keys defer_foreign_keys case_sensitive_like ignore_check_constraints legacy_alter_table recursive_triggers reverse_unordered_selects";

    [Fact]
    public void Pragmas_last_until_the_request_ends_on_the_writer()
    {
        using var bench = new SqlBench("CREATE TABLE t (id INTEGER PRIMARY KEY, v CHECK (v > 0)); INSERT INTO t VALUES (1, 1), (2, 2)");
        var results = bench.Write(Sql(
            "PRAGMA ignore_check_constraints = ON", "INSERT INTO t VALUES (3, -1)", "PRAGMA ignore_check_constraints",
            "PRAGMA reverse_unordered_selects = ON", "SELECT id FROM t", "PRAGMA case_sensitive_like = ON", "SELECT 'a' LIKE 'A'"));
        Assert.Equal("1", Show(results[2]));
        Assert.Equal("3 2 1", Show(results[4]));
        Assert.Equal("0", Show(results[6]));
        Refused(() => bench.Write(Sql("INSERT INTO t VALUES (4, -1)")), "SQLITE_CONSTRAINT_CHECK");
        results = bench.Write(Sql("PRAGMA ignore_check_constraints", "SELECT id FROM t", "SELECT 'a' LIKE 'A'"));
        Assert.Equal(["0", "1 2 3", "1"], results.Select(Show));
    }

    [Fact]
    public void Every_switch_is_set_back_on_readers_and_writer_also_after_an_error()
    {
        using var bench = new SqlBench();
        foreach (var name in Switches.Split(' ').Where(name => name != "case_sensitive_like")) // cannot be read
        {
            var normal = name == "foreign_keys" ? "1" : "0";
            var other = name == "foreign_keys" ? "0" : "1";
            Assert.True(bench.IsRead(Sql($"PRAGMA {name} = {other}")));
            Assert.Equal(normal, bench.Rows($"PRAGMA {name}"));
            bench.Read(Sql($"PRAGMA {name} = {other}"));
            Assert.Equal(normal, bench.Rows($"PRAGMA {name}"));
            Assert.False(bench.IsRead(Sql($"PRAGMA {name} = {other}", "SELECT 1")));
            Assert.Equal(normal, bench.Rows($"PRAGMA {name}"));
            bench.Group(Sql($"PRAGMA {name} = {other}", "SELECT missing"), Sql("SELECT 1"));
            Assert.Equal(normal, Show(bench.Write(Sql($"PRAGMA {name}"))[0]));
        }

        bench.Read(Sql("PRAGMA case_sensitive_like = ON"));
        Assert.Equal("1", bench.Rows("SELECT 'a' LIKE 'A'"));
    }

    [Fact]
    public void What_an_interactive_transaction_said_of_foreign_keys_is_not_for_the_next_request()
    {
        using var bench = new SqlBench("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)");
        using (var transaction = new InteractiveTransaction(bench.WriterConnection))
        {
            transaction.Execute(Sql("PRAGMA foreign_keys = OFF"));
            transaction.Commit();
        }

        Assert.Equal("0", Show(bench.Write(Sql("PRAGMA defer_foreign_keys = ON", "DELETE FROM p", "SELECT count(*) FROM c"))[2]));
    }

    [Fact]
    public void Foreign_keys_that_a_request_switches_off_hold_again_at_its_end()
    {
        using var bench = new SqlBench("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p ON DELETE CASCADE)");
        var members = bench.Group(
            Sql("PRAGMA foreign_keys = OFF", "INSERT INTO c VALUES (1)"),
            Sql("PRAGMA foreign_keys = OFF", "INSERT INTO c VALUES (2)", "PRAGMA foreign_keys = ON", "INSERT INTO p VALUES (2)", "PRAGMA foreign_keys"),
            Sql("PRAGMA foreign_keys", "INSERT INTO c VALUES (3)"),
            Sql("PRAGMA foreign_keys = OFF", "SELECT missing"),
            Sql("PRAGMA foreign_keys", "DELETE FROM p", "SELECT count(*) FROM c"));
        Assert.Equal("SQLITE_CONSTRAINT_FOREIGNKEY", ((RequestException)members[0].Error!).Error.Code);
        Assert.Contains("row 1 of \"c\" refers to nothing in \"p\"", members[0].Error!.Message, StringComparison.Ordinal);
        Assert.Null(members[1].Error);
        Assert.Equal("1", Show(members[1].Results[4]));
        Assert.Equal(1, ((RequestException)members[2].Error!).Error.StatementIndex); // at once: they are on for the next request
        Assert.NotNull(members[3].Error);
        Assert.Equal(["1", "", "0"], members[4].Results.Select(Show)); // its child went with the parent
    }

    [Fact]
    public void What_sqlite_has_miscounted_while_keys_were_off_neither_covers_a_neighbours_violation_nor_refuses_a_neighbour()
    {
        using var bench = new SqlBench("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
        var members = bench.Group(
            Sql("INSERT INTO p VALUES (7)"),
            // Of two children SQLite counts the first alone, and then both as having found their parent. (At nothing it does not look for any: hence the first.)
            Sql("INSERT INTO c VALUES (1)", "PRAGMA foreign_keys = OFF", "INSERT INTO c VALUES (1)", "PRAGMA foreign_keys = ON", "INSERT INTO p VALUES (1)"),
            Sql("INSERT INTO c VALUES (8)"),
            // Here a child has found its parent while SQLite did not count.
            Sql("INSERT INTO c VALUES (2)", "PRAGMA foreign_keys = OFF", "INSERT INTO p VALUES (2)"),
            Sql("INSERT INTO c VALUES (9)", "INSERT INTO p VALUES (9)"));
        Assert.All(members.Where((_, at) => at != 2), static member => Assert.Null(member.Error));
        Failed(members[2], "SQLITE_CONSTRAINT_FOREIGNKEY");
        Assert.Equal("", bench.Rows("PRAGMA foreign_key_check"));
        Assert.Equal("1 2 7 9", bench.Rows("SELECT id FROM p ORDER BY id"));
        Assert.Equal("1 1 2 9", bench.Rows("SELECT p FROM c ORDER BY p"));
    }

    [Theory]
    [InlineData("OFF", "ON")]
    [InlineData("0", "1")]
    public void A_table_that_is_made_anew_with_foreign_keys_switched_off_keeps_its_children(string off, string on)
    {
        using var bench = new SqlBench(
            "CREATE TABLE p (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (1, 1), (2, 2), (3, 2)");
        string rebuild = "CREATE TABLE new_p (id INTEGER PRIMARY KEY, v TEXT NOT NULL DEFAULT ''); INSERT INTO new_p SELECT id, v FROM p; DROP TABLE p; ALTER TABLE new_p RENAME TO p;";
        bench.Write(Script($"PRAGMA defer_foreign_keys = {on}; PRAGMA foreign_keys = {off}; {rebuild} PRAGMA foreign_keys = {on}; PRAGMA defer_foreign_keys = {off}"));
        Assert.Equal("1|1 2|2 3|2", bench.Rows("SELECT id, p FROM c ORDER BY id"));
        Assert.Equal("", bench.Rows("PRAGMA foreign_key_check"));
        Refused(() => bench.Write(Sql("INSERT INTO c VALUES (4, 9)")), "SQLITE_CONSTRAINT_FOREIGNKEY");
        Refused(() => bench.Write(Script($"PRAGMA foreign_keys = {off}; {rebuild} DELETE FROM p WHERE id = 2")), "SQLITE_CONSTRAINT_FOREIGNKEY");
        Assert.Equal("2", bench.Rows("SELECT count(*) FROM p"));
        bench.Write(Script("DELETE FROM p WHERE id = 2"));
        Assert.Equal("1|1", bench.Rows("SELECT id, p FROM c"));
    }

    [Fact]
    public void Pragmas_take_effect_also_when_they_are_sent_again()
    {
        using var bench = new SqlBench("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p)");
        for (var i = 0; i < 3; i++)
        {
            bench.Write(Sql("PRAGMA defer_foreign_keys = ON", $"INSERT INTO c VALUES ({i})", $"INSERT INTO p VALUES ({i})"));
        }

        Assert.Equal("3", bench.Rows("SELECT count(*) FROM c"));
    }

    [Fact]
    public void Temp_objects_live_within_one_request()
    {
        using var bench = new SqlBench("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO t (v) VALUES (1)");
        var members = bench.Group(
            Script("""
                CREATE TEMP TABLE x (id INTEGER PRIMARY KEY AUTOINCREMENT, a);
                INSERT INTO x (a) VALUES (5), (6);
                CREATE TEMP VIEW y AS SELECT a * 2 AS b FROM x;
                CREATE TEMP TRIGGER z AFTER INSERT ON t BEGIN UPDATE t SET v = 0; END;
                CREATE VIRTUAL TABLE temp.f USING fts5(words);
                SELECT b FROM y
                """),
            Sql("INSERT INTO t (v) VALUES (2)"),
            Sql("SELECT * FROM x"),
            Sql("SELECT name, seq FROM sqlite_sequence"),
            Sql("SELECT count(*) FROM sqlite_temp_schema"),
            Sql("CREATE TEMP TABLE x (other)", "INSERT INTO missing VALUES (1)"),
            Sql("SELECT * FROM x"));
        Assert.Equal("10 12", Show(members[0].Results[5]));
        Assert.Equal("no such table: x", Failed(members[2], "SQLITE_ERROR").Message);
        Assert.Equal("t|2", Show(members[3].Results[0])); // not the temp one's
        Assert.Equal("0", Show(members[4].Results[0]));
        Failed(members[6], "SQLITE_ERROR");
        Assert.Equal("1 2", bench.Rows("SELECT v FROM t"));
    }

    [Fact]
    public void Last_insert_rowid_and_changes_start_at_zero()
    {
        using var bench = new SqlBench("CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE log (a, b)");
        const string Look = "SELECT last_insert_rowid(), changes(), total_changes()";
        var members = bench.Group(
            Sql(Look),
            Sql("INSERT INTO t VALUES (7, 1), (8, 1), (9, 1)", Look, "UPDATE t SET v = 2 WHERE id > 7", Look),
            Sql(Look),
            Sql("INSERT INTO t VALUES (20, 1)", "INSERT INTO t VALUES (7, 1)"),
            Sql(Look),
            Sql("CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (last_insert_rowid(), changes()); END"),
            Sql("INSERT INTO t VALUES (30, 1)"),
            Sql(Look, "SELECT * FROM log"));
        Assert.Equal("0|0|0", Show(members[0].Results[0]));
        Assert.Equal(["9|3|3", "9|2|5"], new[] { 1, 3 }.Select(i => Show(members[1].Results[i])));
        Assert.Equal("0|0|0", Show(members[2].Results[0]));
        Assert.Equal("0|0|0", Show(members[4].Results[0]));
        Assert.Equal(["0|0|0", "30|0"], members[7].Results.Select(Show));
        Assert.Equal("0|0|0", bench.Rows(Look));
    }

    [Fact]
    public void Interleaved_clients_see_only_their_own_settings()
    {
        const int Seed = 20260101;
        var random = new Random(Seed);
        using var bench = new SqlBench("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p)");
        SqlRequest[] kinds =
        [
            Sql("PRAGMA defer_foreign_keys = ON", "PRAGMA recursive_triggers = ON", "SELECT 1"),
            Sql("PRAGMA case_sensitive_like = ON", "SELECT 'a' LIKE 'A'"),
            Sql("CREATE TEMP TABLE mine (x)", "INSERT INTO mine VALUES (1)", "SELECT * FROM mine"),
            Sql("INSERT INTO p DEFAULT VALUES", "SELECT last_insert_rowid() > 0, changes()"),
            Sql("PRAGMA reverse_unordered_selects = ON", "SELECT missing"),
        ];
        var probe = Sql("PRAGMA defer_foreign_keys", "PRAGMA recursive_triggers", "PRAGMA reverse_unordered_selects", "SELECT 'a' LIKE 'A', last_insert_rowid(), changes(), total_changes()",
            "SELECT count(*) FROM sqlite_temp_schema");
        for (var round = 0; round < 100; round++)
        {
            var requests = Enumerable.Range(0, 6).SelectMany(_ => new[] { kinds[random.Next(kinds.Length)], probe }).ToArray();
            var members = bench.Group(requests);
            for (var i = 1; i < members.Count; i += 2)
            {
                Assert.True(
                    members[i].Error == null && members[i].Results.Select(Show).SequenceEqual(["0", "0", "0", "1|0|0|0", "0"]),
                    $"seed {Seed}, round {round}, member {i} after '{requests[i - 1].Statements[0].Sql}': {members[i].Error?.Message} {string.Join(' ', members[i].Results.Select(Show))}");
            }
        }
    }
}
