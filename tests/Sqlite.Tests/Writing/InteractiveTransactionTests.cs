using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class InteractiveTransactionTests
{
    private const string Schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, v UNIQUE)";

    [Fact]
    public void Steps_see_each_other_and_commit_together()
    {
        using var bench = new SqlBench(Schema);
        using (var transaction = new InteractiveTransaction(bench.WriterConnection))
        {
            Assert.Null(transaction.Execute(Sql("INSERT INTO t VALUES (1, 'a')", "CREATE TEMP TABLE x AS SELECT 5 AS a")).Error);
            Assert.Equal("1|a|5", Show(transaction.Execute(Sql("SELECT t.*, a FROM t, x")).Results[0]));
            Assert.Equal("0", bench.Rows("SELECT count(*) FROM t"));
            Assert.True(transaction.Wrote);
            transaction.Commit();
        }

        Assert.Equal("1|a", bench.Rows("SELECT * FROM t"));
        Refused(() => bench.Write(Sql("SELECT * FROM x")), "SQLITE_ERROR");
    }

    [Fact]
    public void A_failing_statement_is_undone_alone()
    {
        using var bench = new SqlBench(Schema);
        using (var transaction = new InteractiveTransaction(bench.WriterConnection))
        {
            var outcome = transaction.Execute(Sql("INSERT INTO t VALUES (1, 'a')", "INSERT OR FAIL INTO t VALUES (2, 'b'), (3, 'a')", "INSERT INTO t VALUES (4, 'd')"));
            Assert.Equal(1, Failed(outcome, "SQLITE_CONSTRAINT_UNIQUE").Error.StatementIndex);
            Assert.True(transaction.IsOpen && transaction.Wrote);
            Failed(transaction.Execute(Sql("INSERT INTO t VALUES (5, zeroblob(6000000)) RETURNING v")), ErrorCodes.ResultTooLarge);
            Assert.Equal("1|a", Show(transaction.Execute(Sql("SELECT * FROM t")).Results[0]));
            transaction.Commit();
        }

        Assert.Equal("1|a", bench.Rows("SELECT * FROM t"));
    }

    [Fact]
    public void Savepoints_are_the_clients_own()
    {
        using var bench = new SqlBench(Schema);
        using (var transaction = new InteractiveTransaction(bench.WriterConnection))
        {
            Assert.Null(transaction.Execute(Sql("INSERT INTO t VALUES (1, 'a')", "SAVEPOINT s", "INSERT INTO t VALUES (2, 'b')", "ROLLBACK TO s", "RELEASE s")).Error);
            Failed(transaction.Execute(Sql("COMMIT")), ErrorCodes.SqliteAuth);
            Failed(transaction.Execute(Sql("RELEASE _rs_member")), ErrorCodes.SqliteAuth);
            Failed(transaction.Execute(Sql("VACUUM")), ErrorCodes.InvalidRequest);
            transaction.Commit();
        }

        Assert.Equal("1|a", bench.Rows("SELECT * FROM t"));
        Refused(() => bench.Write(Sql("SAVEPOINT s")), ErrorCodes.SqliteAuth);
    }

    [Fact]
    public void A_statement_that_rolls_back_ends_it_and_leaving_it_rolls_back()
    {
        using var bench = new SqlBench(Schema + "; INSERT INTO t VALUES (1, 'a')");
        using (var transaction = new InteractiveTransaction(bench.WriterConnection))
        {
            transaction.Execute(Sql("INSERT INTO t VALUES (2, 'b')"));
            Failed(transaction.Execute(Sql("INSERT OR ROLLBACK INTO t VALUES (3, 'a')")), "SQLITE_CONSTRAINT_UNIQUE");
            Assert.False(transaction.IsOpen);
        }

        using (var transaction = new InteractiveTransaction(bench.WriterConnection))
        {
            transaction.Execute(Sql("INSERT INTO t VALUES (2, 'b')"));
        }

        bench.Write(Sql("INSERT INTO t VALUES (5, 'e')"));
        Assert.Equal("1 5", bench.Rows("SELECT id FROM t"));
    }

    [Fact]
    public void A_held_snapshot_is_what_every_read_sees()
    {
        using var bench = new SqlBench(Schema + "; INSERT INTO t VALUES (1, 'a')");
        using (bench.Reader.HoldSnapshot())
        {
            bench.Write(Sql("DELETE FROM t"));
            Assert.Equal("1", bench.Rows("SELECT count(*) FROM t"));
            bench.Write(Sql("INSERT INTO t VALUES (2, 'b'), (3, 'c')"));
            Assert.Equal("1", bench.Rows("SELECT id FROM t"));
        }

        Assert.Equal("2 3", bench.Rows("SELECT id FROM t"));
    }

    [Fact]
    public void Describe_tells_parameters_columns_and_where_the_next_statement_starts()
    {
        using var bench = new SqlBench(Schema);
        var description = bench.Reader.Describe("SELECT id, v FROM t WHERE id = ? AND v = :name; DELETE FROM t");
        Assert.True(description.ReadOnly);
        Assert.Equal(["", ":name"], description.Parameters);
        Assert.Equal(["id", "v"], description.Columns.Select(column => column.OriginColumn));
        Assert.Equal(47u, description.TailOffset);
        Assert.False(bench.Reader.Describe("DELETE FROM t").ReadOnly);
        Refused(() => bench.Reader.Describe(" -- "), ErrorCodes.InvalidRequest);
    }
}
