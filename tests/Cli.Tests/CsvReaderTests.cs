namespace ReplicatedSqlite.Cli.Tests;

public sealed class CsvReaderTests
{
    [Fact]
    public void Fields_records_and_lines_are_found()
    {
        var reader = new CsvReader(new StringReader("a,b,c\r\n1,\"x, \"\"y\"\"\nz\",\n\n\"\",2,3"));
        Assert.Equal(["a", "b", "c"], reader.Read()!);
        Assert.Equal(["1", "x, \"y\"\nz", ""], reader.Read()!);
        Assert.Equal(2, reader.Line);
        Assert.Equal([""], reader.Read()!);
        Assert.Equal(["", "2", "3"], reader.Read()!);
        Assert.Equal(5, reader.Line);
        Assert.Null(reader.Read());
    }

    [Theory]
    [InlineData("a\n\"b", "Line 2: a quote is opened")]
    [InlineData("a\n\n\"b\"c", "Line 3: behind a closing quote")]
    public void What_is_no_csv_is_refused_with_its_line(string text, string expected)
    {
        var reader = new CsvReader(new StringReader(text));
        Assert.StartsWith(expected, Assert.Throws<LoadException>(() =>
        {
            while (reader.Read() is not null)
            {
            }
        }).Message, StringComparison.Ordinal);
    }
}
