using ReplicatedSqlite.Protocol;
using static ReplicatedSqlite.Sqlite.Tests.SqlBench;

namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class ParameterTests
{
    [Theory]
    [InlineData("SELECT ?, ?, ?", "1|2|3")]
    [InlineData("SELECT ?3, ?1, ?2", "3|1|2")]
    [InlineData("SELECT ?3, ?1", "3|1")]
    [InlineData("SELECT ?2, ?", "2|3")]
    public void Positional_values_go_by_number(string sql, string expected)
    {
        using var bench = new SqlBench();
        Assert.Equal(expected, Show(bench.Read(Bound(sql, 1, 2, 3))[0]));
    }

    [Fact]
    public void Named_values_go_with_their_prefix_or_without_to_all_of_them()
    {
        using var bench = new SqlBench();
        Assert.Equal("1|1|1", Show(bench.Read(new SqlRequest([Named("SELECT :x, @x, $x", ("x", 1))]))[0]));
        Assert.Equal("1|2|3", Show(bench.Read(new SqlRequest([Named("SELECT :x, @x, $x", (":x", 1), ("@x", 2), ("$x", 3))]))[0]));
        Assert.Equal("1|2", Show(bench.Read(new SqlRequest([Named("SELECT :x, :größe", ("x", 1), (":größe", 2))]))[0]));
        var both = Named("SELECT ?, :x, ?", ("x", 9));
        both.Positional.Add(ToValue(1));
        both.Positional.Add(ToValue(2));
        Assert.Equal("1|9|2", Show(bench.Read(new SqlRequest([both]))[0]));
    }

    [Fact]
    public void Values_that_do_not_fit_are_refused_in_words()
    {
        using var bench = new SqlBench();
        Check(Bound("SELECT ?, ?", 1), "wants 2 positional parameters, 1 came");
        Check(Bound("SELECT ?", 1, 2), "2 positional parameters came, 1 are wanted");
        Check(Bound("SELECT 1", 1), "1 positional parameters came, 0 are wanted");
        Check(Bound("SELECT ?5", 1), "wants 5");
        Check(Bound("SELECT :x", 1), ":x has no value");
        Check(new SqlRequest([Named("SELECT :x", ("y", 1))]), ":x has no value");
        Check(new SqlRequest([Named("SELECT :x", ("x", 1), ("y", 2))]), "named y");
        Check(new SqlRequest([Named("SELECT :x", ("x", 1), ("@x", 2))]), "named @x");
        Check(new SqlRequest([Named("SELECT :x", ("x", 1), (":x", 2))]), "two values");
        Check(new SqlRequest([Named("SELECT 1", ("x", 1))]), "named x");

        void Check(SqlRequest request, string text)
        {
            var error = Refused(() => bench.Read(request), ErrorCodes.Parameters);
            Assert.Contains(text, error.Message, StringComparison.Ordinal);
            Assert.Equal(StatusCode.InvalidArgument, error.Status);
            Refused(() => bench.Write(request), ErrorCodes.Parameters);
        }
    }

    [Fact]
    public void The_failing_statement_of_a_batch_is_named()
    {
        using var bench = new SqlBench();
        Assert.Equal(2, Refused(() => bench.Read(new SqlRequest([With("SELECT ?", 1), With("SELECT 2"), With("SELECT ?")])), ErrorCodes.Parameters).Error.StatementIndex);
    }

    [Fact]
    public void Values_of_one_request_are_gone_in_the_next()
    {
        using var bench = new SqlBench();
        Assert.Equal("secret", Show(bench.Read(Bound("SELECT ?", "secret"))[0]));
        Refused(() => bench.Read(Sql("SELECT ?")), ErrorCodes.Parameters);
        Assert.Equal("other", Show(bench.Read(Bound("SELECT ?", "other"))[0]));
    }

    [Fact]
    public void A_mismatch_keeps_its_name()
    {
        using var bench = new SqlBench("CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE s (a INT) STRICT");
        Refused(() => bench.Write(Bound("INSERT INTO t VALUES (?)", "text")), "SQLITE_MISMATCH");
        Refused(() => bench.Write(Bound("INSERT INTO s VALUES (?)", "text")), "SQLITE_CONSTRAINT_DATATYPE");
        Refused(() => bench.Write(Sql("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)")), "SQLITE_CONSTRAINT_PRIMARYKEY");
    }
}
