using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

/// <summary>The traps in grouping writes, one by one.</summary>
public sealed class GroupTrapTests
{
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE)";

    private const string Forever = "INSERT INTO t (v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT NULL FROM n WHERE i < 0";

    [Fact]
    public void Or_rollback_takes_only_its_own_member_down()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group(
            Sql("INSERT INTO t VALUES (1, 'a')"),
            Sql("INSERT INTO t VALUES (2, 'a')"), // fails by itself, against its neighbour
            Sql("INSERT INTO t VALUES (3, 'c')", "INSERT OR ROLLBACK INTO t VALUES (4, 'a')"),
            Sql("INSERT INTO t VALUES (5, 'e') RETURNING id"));
        Assert.Null(members[0].Error);
        Failed(members[1], "SQLITE_CONSTRAINT_UNIQUE");
        Assert.Equal(1, Failed(members[2], "SQLITE_CONSTRAINT_UNIQUE").Error.StatementIndex);
        Assert.Equal("5", Show(members[3].Results[0]));
        Assert.Equal("1|a 5|e", bench.Rows("SELECT id, v FROM t ORDER BY id"));
        Assert.All(members.Where(member => member.Error == null), member => Assert.True(member.Results[0].Meta.SizeAfter > 0));
    }

    [Fact]
    public void Raise_rollback_takes_only_its_own_member_down()
    {
        using var bench = new SqlBench(Schema + "; CREATE TRIGGER no BEFORE INSERT ON t WHEN new.v = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'not that'); END");
        var members = bench.Group(Sql("INSERT INTO t VALUES (1, 'a')"), Sql("INSERT INTO t VALUES (2, 'bad')"), Sql("INSERT INTO t VALUES (3, 'bad')"), Sql("INSERT INTO t VALUES (4, 'd')"));
        Assert.Equal("not that", Failed(members[1], "SQLITE_CONSTRAINT_TRIGGER").Message);
        Failed(members[2], "SQLITE_CONSTRAINT_TRIGGER");
        Assert.Equal("1 4", bench.Rows("SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void A_member_that_had_failed_runs_again_when_its_neighbour_is_gone()
    {
        using var bench = new SqlBench(Schema);
        var runs = 0;
        // The first member succeeds in the first round and is refused in the second, as one can be that times out.
        var fickle = new SqlRequest([With("INSERT INTO t VALUES (1, 'a')")])
        {
            Steps = new Steps(_ => runs++ == 0 ? true : throw new RequestException(ErrorCodes.TransactionExpired, "gone")),
        };
        var members = bench.Group(fickle, Sql("INSERT INTO t VALUES (2, 'a')"), Sql("INSERT OR ROLLBACK INTO t VALUES (3, 'a')"));
        Failed(members[0], ErrorCodes.TransactionExpired);
        Assert.Null(members[1].Error); // in the first round it failed against member 0
        Failed(members[2], "SQLITE_CONSTRAINT_UNIQUE");
        Assert.Equal("2|a", bench.Rows("SELECT id, v FROM t"));
        Assert.Equal(2, runs);
    }

    [Fact]
    public void An_interrupted_write_takes_only_its_own_member_down()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group(
            Sql("INSERT INTO t VALUES (1, 'a')"),
            new SqlRequest([With(Forever)]) { Timeout = TimeSpan.FromMilliseconds(30) },
            Sql("INSERT INTO t VALUES (3, 'c')"));
        var error = Failed(members[1], ErrorCodes.StatementTimeout);
        Assert.Equal(StatusCode.DeadlineExceeded, error.Status);
        Assert.Equal(0, error.Error.StatementIndex);
        Assert.Equal("1 3", bench.Rows("SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void A_cancelled_write_takes_only_its_own_member_down()
    {
        using var bench = new SqlBench(Schema);
        using var gone = new CancellationTokenSource(TimeSpan.FromMilliseconds(30));
        var members = bench.Group(Sql("INSERT INTO t VALUES (1, 'a')"), new SqlRequest([With(Forever)]) { Cancellation = gone.Token }, Sql("INSERT INTO t VALUES (3, 'c')"));
        Assert.IsType<OperationCanceledException>(members[1].Error, exactMatch: false);
        Assert.Equal("1 3", bench.Rows("SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void A_full_disk_takes_only_the_member_down_that_met_it()
    {
        using var bench = new SqlBench(Schema);
        bench.Writer.Owner.Execute("PRAGMA max_page_count = 40");
        var members = bench.Group(
            Sql("INSERT INTO t VALUES (1, 'a')"), Sql("INSERT INTO t VALUES (2, zeroblob(1000000))"), Sql("INSERT INTO t VALUES (3, 'c')"));
        Assert.Equal(StatusCode.ResourceExhausted, Failed(members[1], ErrorCodes.SqliteFull).Status);
        Assert.Equal("1 3", bench.Rows("SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void Several_members_that_roll_back_leave_the_others()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group([.. Enumerable.Range(1, 40).Select(i => Bound("INSERT OR ROLLBACK INTO t VALUES (?, ?)", i, i / 2))]);
        Assert.Equal(19, members.Count(member => member.Error != null));
        Assert.Equal("21", bench.Rows("SELECT count(*) FROM t"));
    }

    [Fact]
    public void Deferred_foreign_keys_fail_their_member_alone()
    {
        using var bench = new SqlBench(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
        var members = bench.Group(
            Sql("INSERT INTO c VALUES (1, 1)", "INSERT INTO p VALUES (1)"), // resolved in time
            Sql("INSERT INTO c VALUES (2, 2)"),
            Sql("INSERT INTO p VALUES (2)")); // too late: another member
        Assert.Null(members[0].Error);
        var error = Failed(members[1], "SQLITE_CONSTRAINT_FOREIGNKEY");
        Assert.Equal("FOREIGN KEY constraint failed", error.Message);
        Assert.Equal(787, error.Error.SqliteCode);
        Assert.Null(members[2].Error);
        Assert.Equal("1|1", bench.Rows("SELECT id, p FROM c"));
        Assert.Equal("1 2", bench.Rows("SELECT id FROM p ORDER BY id"));
    }

    [Fact]
    public void Defer_foreign_keys_ends_with_its_member()
    {
        using var bench = new SqlBench("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p)");
        var members = bench.Group(
            Sql("PRAGMA defer_foreign_keys = ON", "INSERT INTO c VALUES (1, 1)", "INSERT INTO p VALUES (1)"),
            Sql("INSERT INTO c VALUES (2, 2)", "INSERT INTO p VALUES (2)"),
            Sql("PRAGMA defer_foreign_keys = ON", "INSERT INTO c VALUES (3, 3)"),
            Sql("PRAGMA defer_foreign_keys"));
        Assert.Null(members[0].Error);
        Assert.Equal(0, Failed(members[1], "SQLITE_CONSTRAINT_FOREIGNKEY").Error.StatementIndex);
        Assert.Equal(-1, Failed(members[2], "SQLITE_CONSTRAINT_FOREIGNKEY").Error.StatementIndex);
        Assert.Equal("0", Show(members[3].Results[0]));
        Assert.Equal("1|1", bench.Rows("SELECT id, p FROM c"));
    }

    [Fact]
    public void Or_fail_undoes_the_rows_that_it_had_written()
    {
        using var bench = new SqlBench(Schema + "; INSERT INTO t VALUES (1, 'x')");
        var members = bench.Group(Sql("INSERT OR FAIL INTO t VALUES (2, 'y'), (3, 'x')"), Sql("INSERT INTO t VALUES (4, 'z')"));
        Failed(members[0], "SQLITE_CONSTRAINT_UNIQUE");
        Assert.Equal("1 4", bench.Rows("SELECT id FROM t ORDER BY id"));
    }

    [Fact]
    public void Vacuum_runs_alone_outside_group_and_savepoint()
    {
        using var bench = new SqlBench(Schema);
        bench.Write(Sql("INSERT INTO t VALUES (1, zeroblob(500000))", "DELETE FROM t"));
        SqlRequest[] waiting = [Sql("INSERT INTO t VALUES (1, 1)"), Sql("-- tidy\n ; /* up */ vacuum;"), Sql("INSERT INTO t VALUES (2, 2)")];
        using (var first = bench.Writer.Run(waiting))
        {
            Assert.Equal(1, first.Taken);
        }

        var before = bench.Read(Sql("SELECT 1"))[0].Meta.SizeAfter;
        using (var second = bench.Writer.Execute(waiting[1..]))
        {
            Assert.Equal(1, second.Taken);
            Assert.True(second.IsOpen);
            Assert.True(second.Commit());
            Assert.True(second.Members[0].Wrote);
            var meta = second.Members[0].Results[0].Meta;
            Assert.True(meta.ChangedDb && meta.SizeAfter < before, $"{meta.SizeAfter} after {before}");
            Assert.Equal(meta.SizeAfter, bench.Read(Sql("SELECT 1"))[0].Meta.SizeAfter);
        }

        bench.Write(waiting[2]);
        Assert.Equal("1 2", bench.Rows("SELECT id FROM t"));
    }

    [Fact]
    public void Vacuum_among_others_is_refused_with_a_text_that_says_so()
    {
        using var bench = new SqlBench(Schema);
        foreach (var request in new[]
        {
            Sql("VACUUM", "SELECT 1"), Sql("INSERT INTO t VALUES (1, 1)", "VACUUM"), Script("VACUUM; SELECT 1"), Script("SELECT 1; VACUUM"), Script("INSERT INTO t VALUES (1, 1);\n\tVacuum"),
        })
        {
            var error = Refused(() => bench.Write(request), ErrorCodes.InvalidRequest);
            Assert.Contains("alone", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal("0", bench.Rows("SELECT count(*) FROM t"));
        bench.Write(Sql("VACUUM"));
        bench.Write(Script("VACUUM; -- alone"));
        Refused(() => bench.Write(Sql("VACUUM", "SELECT 1")), ErrorCodes.InvalidRequest); // not from the cache either
    }

    [Fact]
    public void Vacuum_into_a_file_is_refused()
    {
        using var bench = new SqlBench(Schema);
        var file = bench.Path + ".copy";
        var error = Refused(() => bench.Write(Bound("VACUUM INTO ?", file)), ErrorCodes.SqliteAuth);
        Assert.Contains("VACUUM INTO", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
        bench.Write(Sql("INSERT INTO t VALUES (1, 1)"));
    }

    [Fact]
    public void Schema_changes_that_are_undone_leave_no_stale_statements()
    {
        using var bench = new SqlBench(Schema);
        var members = bench.Group(
            Sql("INSERT INTO t VALUES (1, 'a')"),
            Sql("CREATE TABLE u (x)", "INSERT INTO u VALUES (1)", "ALTER TABLE t ADD COLUMN w DEFAULT 'w'", "SELECT * FROM t", "INSERT INTO t VALUES (1, 1, 1)"),
            Sql("SELECT * FROM t"),
            Sql("INSERT INTO u VALUES (1)"),
            Sql("CREATE TABLE u (y)", "INSERT INTO u VALUES (2)"),
            Sql("INSERT OR ROLLBACK INTO t VALUES (1, 'x')"),
            Sql("SELECT * FROM u"));
        Failed(members[1], "SQLITE_CONSTRAINT_PRIMARYKEY");
        Assert.Equal("1|a", Show(members[2].Results[0]));
        Assert.Equal("no such table: u", Failed(members[3], "SQLITE_ERROR").Message);
        Assert.Null(members[4].Error);
        Assert.Equal("y", members[6].Results[0].Columns[0].Name);
        Assert.Equal("2", bench.Rows("SELECT * FROM u"));
    }

    [Fact]
    public void Own_sql_around_a_member_stays_only_if_the_member_stays()
    {
        using var bench = new SqlBench(Schema);
        SqlRequest Keyed(string key, string sql) => new([With(sql)])
        {
            Steps = new Steps(
                own =>
                {
                    var find = own.Prepare("SELECT answer FROM _rs_requests WHERE key = ?1").Bind(1, key);
                    var isNew = !find.Step();
                    find.Reset();
                    return isNew;
                },
                (own, outcome) => own.Prepare("INSERT INTO _rs_requests VALUES (?1, ?2)").Bind(1, key).Bind(2, Show(outcome.Results[0])).Run()),
        };
        var members = bench.Group(
            Keyed("k1", "INSERT INTO t VALUES (1, 'a') RETURNING v"),
            Keyed("k1", "INSERT INTO t VALUES (2, 'b') RETURNING v"),
            Keyed("k2", "INSERT INTO t VALUES (3, 'a') RETURNING v"),
            Keyed("k3", "SELECT last_insert_rowid(), changes(), total_changes()"));
        Assert.True(members[1].AnsweredBefore);
        Assert.Empty(members[1].Results);
        Failed(members[2], "SQLITE_CONSTRAINT_UNIQUE");
        Assert.Equal("0|0|0", Show(members[3].Results[0]));
        Assert.True(members[3].Wrote); // its key
        var stored = bench.Writer.Owner.Prepare("SELECT group_concat(key || '=' || answer, ' ') FROM _rs_requests");
        Assert.True(stored.Step());
        Assert.Equal("k1=a k3=0|0|0", stored.GetText(0));
        stored.Reset();
    }

    private sealed class Steps(Func<OwnerSql, bool> before, Action<OwnerSql, MemberOutcome>? after = null) : IMemberSteps
    {
        public bool Before(OwnerSql sql) => before(sql);

        public void After(OwnerSql sql, MemberOutcome outcome) => after?.Invoke(sql, outcome);
    }
}
