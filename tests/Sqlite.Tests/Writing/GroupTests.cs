using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class GroupTests
{
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE)";

    [Fact]
    public void All_that_wait_commit_together()
    {
        using var bench = new SqlBench(Schema);
        using var group = bench.Writer.Execute([.. Enumerable.Range(1, 10).Select(i => Bound("INSERT INTO t VALUES (?, ?)", i, i * 10))]);
        Assert.Equal(10, group.Taken);
        Assert.True(group.IsOpen);
        Assert.Equal("0", bench.Rows("SELECT count(*) FROM t")); // not yet
        Assert.True(group.Commit());
        Assert.All(group.Members, member => Assert.True(member.Wrote));
        Assert.Equal("10", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_group_that_is_rolled_back_leaves_nothing()
    {
        using var bench = new SqlBench(Schema);
        using (var group = bench.Writer.Execute([Sql("INSERT INTO t VALUES (1, 1)")]))
        {
            group.Rollback();
            Assert.False(group.Commit());
        }

        Assert.Equal("0", bench.Rows("SELECT count(*) FROM t"));
        bench.Write(Sql("INSERT INTO t VALUES (1, 1)"));
        Assert.Equal("1", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_member_that_fails_undoes_only_itself()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group(
            Sql("INSERT INTO t VALUES (1, 'a')"),
            Sql("INSERT INTO t VALUES (2, 'b')", "INSERT INTO t VALUES (3, 'a')"),
            Sql("INSERT INTO t VALUES (4, 'd')"));
        var error = Failed(members[1], "SQLITE_CONSTRAINT_UNIQUE");
        Assert.Equal(1, error.Error.StatementIndex);
        Assert.Equal(2067, error.Error.SqliteCode);
        Assert.Equal("UNIQUE constraint failed: t.v", error.Message);
        Assert.Equal(CommitState.NotCommitted, error.Error.CommitState);
        Assert.Equal(StatusCode.FailedPrecondition, error.Status);
        Assert.Equal("1 4", bench.Rows("SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void A_member_sees_what_those_before_it_did()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group(Sql("INSERT INTO t VALUES (1, 'a')"), Sql("SELECT v FROM t"), Sql("UPDATE t SET v = v || 'b' RETURNING v"));
        Assert.Equal("a", Show(members[1].Results[0]));
        Assert.False(members[1].Wrote);
        Assert.Equal("ab", Show(members[2].Results[0]));
    }

    [Fact]
    public void A_group_of_which_nothing_stays_writes_nothing_to_the_wal()
    {
        using var bench = new SqlBench(Schema);
        bench.Write(Sql("INSERT INTO t VALUES (1, 'a')"));
        var before = new FileInfo(bench.Path + "-wal").Length;
        using var group = bench.Writer.Execute([Sql("INSERT INTO t VALUES (2, 'b')", "INSERT INTO t VALUES (3, 'b')"), Sql("SELECT 1")]);
        Assert.False(group.IsOpen);
        Assert.False(group.Commit());
        Failed(group.Members[0], "SQLITE_CONSTRAINT_UNIQUE");
        Assert.Equal("1", Show(group.Members[1].Results[0]));
        Assert.True(group.Members[1].Results[0].Meta.SizeAfter > 0);
        Assert.Equal(before, new FileInfo(bench.Path + "-wal").Length);
    }

    [Fact]
    public void Meta_belongs_to_its_statement()
    {
        using var bench = new SqlBench(
            Schema + """
            ; CREATE TABLE log (x); CREATE TABLE w (k TEXT PRIMARY KEY) WITHOUT ROWID; CREATE VIEW view AS SELECT v FROM t;
            CREATE TRIGGER logs AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (new.id); INSERT INTO log VALUES (new.id); END;
            CREATE TRIGGER views INSTEAD OF INSERT ON view BEGIN INSERT INTO t (v) VALUES (new.v); END
            """);
        var results = bench.Write(Sql(
            "INSERT INTO t VALUES (41, 'a'), (42, 'b')",
            "UPDATE t SET v = v || '!'",
            "INSERT OR IGNORE INTO t VALUES (42, 'c')",
            "INSERT INTO t VALUES (42, 'c') ON CONFLICT (id) DO UPDATE SET v = 'd'",
            "INSERT INTO w VALUES ('k')",
            "SELECT count(*) FROM t",
            "DELETE FROM t WHERE id = 7",
            "INSERT INTO view VALUES ('through')",
            "INSERT INTO log VALUES (last_insert_rowid())",
            "SELECT x FROM log ORDER BY rowid DESC LIMIT 1",
            "CREATE TABLE IF NOT EXISTS t (x)",
            "CREATE TABLE u (x)",
            "PRAGMA user_version = 5"));
        Assert.Equal(
            [(2, 42, true), (6, 0, true), (0, 0, false), (3, 0, true), (1, 0, true), (0, 0, false), (0, 0, false), (1, 0, true), (1, 7, true), (0, 0, false), (0, 0, false),
                (0, 0, true), (0, 0, true)],
            results.Select(result => ((int)result.Meta.Changes, (int)result.Meta.LastRowId, result.Meta.ChangedDb)));
        Assert.Equal("42", Show(results[9])); // what the statements that inserted no row left as it was
        Assert.All(results, result => Assert.True(result.Meta.SizeAfter == results[0].Meta.SizeAfter && result.Meta.SqlDurationMs >= 0));
    }

    [Fact]
    public void Foreign_key_actions_count_as_changes()
    {
        using var bench = new SqlBench("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1), (1)");
        Assert.Equal(3, bench.Write(Sql("DELETE FROM p"))[0].Meta.Changes);
    }

    [Fact]
    public void Returning_runs_to_its_end_and_gives_all_rows()
    {
        using var bench = new SqlBench(Schema);
        var result = bench.Write(Sql("INSERT INTO t (v) SELECT value FROM json_each('[1,2,3,4,5]') RETURNING id, v"))[0];
        Assert.Equal("1|1 2|2 3|3 4|4 5|5", Show(result));
        Assert.Equal(5, result.Meta.Changes);
        Assert.Equal("5", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void Results_over_the_bound_undo_the_member()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group(Sql("INSERT INTO t VALUES (1, zeroblob(5000000)) RETURNING v"), Sql("INSERT INTO t VALUES (2, 2)"));
        Failed(members[0], ErrorCodes.ResultTooLarge);
        Assert.Equal("2", bench.Rows("SELECT id FROM t"));
    }

    [Fact]
    public void A_write_that_is_streamed_keeps_its_results_as_parts()
    {
        using var bench = new SqlBench(Schema);
        var request = new SqlRequest([With("INSERT INTO t (v) VALUES (1), (2), (3) RETURNING v")]) { AsParts = true, BatchRows = 2 };
        var member = bench.Group(request)[0];
        Assert.Empty(member.Results);
        Assert.Equal(
            [ResultPart.PartOneofCase.Header, ResultPart.PartOneofCase.Rows, ResultPart.PartOneofCase.Rows, ResultPart.PartOneofCase.End],
            member.Parts.Select(part => part.PartCase));
        Assert.Equal("1 2", Show(member.Parts[1].Rows));
        Assert.True(member.Parts[3].End.SizeAfter > 0);
    }

    [Fact]
    public void A_group_takes_a_bounded_number_of_members()
    {
        using var bench = new SqlBench(Schema, group: new GroupWriterOptions { MaxMembers = 4, SlowMember = TimeSpan.FromMinutes(1) });
        using var group = bench.Writer.Run([.. Enumerable.Range(1, 9).Select(i => Bound("INSERT INTO t VALUES (?, ?)", i, i))]);
        Assert.Equal(4, group.Taken);
        Assert.Equal("4", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_slow_member_closes_its_group()
    {
        using var bench = new SqlBench(Schema, group: new GroupWriterOptions { SlowMember = TimeSpan.Zero });
        using var group = bench.Writer.Run([Sql("INSERT INTO t VALUES (1, 1)"), Sql("INSERT INTO t VALUES (2, 2)")]);
        Assert.Equal(1, group.Taken);
        Assert.Equal("1", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void A_commit_that_fails_fails_every_member_with_nothing_done()
    {
        using var bench = new SqlBench(Schema);
        using var group = bench.Writer.Execute([Sql("INSERT INTO t VALUES (1, 1)"), Sql("INSERT INTO t VALUES (1, 1)"), Sql("INSERT INTO t VALUES (2, 2)")]);
        // A deferred violation behind the group's back makes COMMIT refuse, as a full disk would.
        bench.WriterConnection.Connection.Execute(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (7)");

        Assert.False(group.Commit());
        Failed(group.Members[0], "SQLITE_CONSTRAINT_FOREIGNKEY");
        Failed(group.Members[1], "SQLITE_CONSTRAINT_PRIMARYKEY");
        Failed(group.Members[2], "SQLITE_CONSTRAINT_FOREIGNKEY");
        Assert.Equal("0", bench.Rows("SELECT count(*) FROM t"));
        bench.Write(Sql("INSERT INTO t VALUES (3, 3)"));
    }

    [Fact]
    public void A_file_that_another_process_writes_to_fails_the_group_as_overloaded()
    {
        using var bench = new SqlBench(Schema);
        using var other = SqliteConnection.Open(bench.Path);
        other.Execute("BEGIN IMMEDIATE");
        var members = bench.Group(Sql("INSERT INTO t VALUES (1, 1)"), Sql("INSERT INTO t VALUES (2, 2)"));
        Assert.All(members, member => Assert.True(Failed(member, ErrorCodes.Overloaded).Error.Retryable));
        other.Execute("ROLLBACK");
        bench.Write(Sql("INSERT INTO t VALUES (1, 1)"));
    }

    [Fact]
    public void A_caller_that_has_gone_is_not_run()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group(
            new SqlRequest([With("INSERT INTO t VALUES (1, 1)")]) { Cancellation = new CancellationToken(canceled: true) },
            Sql("INSERT INTO t VALUES (2, 2)"));
        Assert.IsType<OperationCanceledException>(members[0].Error, exactMatch: false);
        Assert.Equal("2", bench.Rows("SELECT id FROM t"));
    }
}
