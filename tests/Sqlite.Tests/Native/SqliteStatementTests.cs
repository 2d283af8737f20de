namespace ReplicatedSqlite.Sqlite.Tests;

public sealed class SqliteStatementTests
{
    [Fact]
    public void An_empty_blob_and_an_empty_text_are_not_null()
    {
        using var bench = new SqlBench();
        using var statement = bench.WriterConnection.Connection.Prepare("SELECT typeof(?1) || length(?1), typeof(?2) || length(?2)");
        statement.Bind(1, ReadOnlySpan<byte>.Empty);
        statement.BindText(2, "");
        Assert.True(statement.Step());
        Assert.Equal(("blob0", "text0"), (statement.GetText(0), statement.GetText(1)));
        statement.Reset();
        statement.Bind(1, [0, 1, 2]);
        statement.BindText(2, "a\0ä");
        Assert.True(statement.Step());
        Assert.Equal(("blob3", "text1"), (statement.GetText(0), statement.GetText(1))); // length() of a text ends at a NUL
    }
}
