using ReplicatedSqlite.Client.Tests;

namespace ReplicatedSqlite.Cli.Tests;

public sealed class OutputTests
{
    [Theory]
    [InlineData("table")]
    [InlineData("csv")]
    [InlineData("json")]
    [InlineData("line")]
    public void Each_mode_writes_what_its_golden_file_holds(string mode)
    {
        var first = Answer.Table(
            ["id", "name", "price", "data"],
            [1L, "plain", 1.5, new byte[] { 0x0a, 0xff }],
            [-22L, null, 1e100, null],
            [3L, "two\nlines", 0.1, Array.Empty<byte>()],
            [4L, "é, \"quoted\"", 3.0, new BadText([0x61, 0xff])],
            [5L, "", double.NegativeInfinity, " spaces "],
            [long.MaxValue, "日本\u001b[31m", -1.0 / 3, "tab\there"]);
        var second = Answer.Table(["a \"name\""], ["x"]);
        var empty = Answer.Table(["none"]);
        var output = new StringWriter { NewLine = "\n" };
        var writer = ResultWriter.Create(Enum.Parse<OutputMode>(mode, ignoreCase: true), headers: true, output);
        foreach (var result in new[] { first, second, empty, new Protocol.V1.Result() })
        {
            var decoded = ResultSet.Decode(result);
            writer.WriteAll(decoded.Columns, decoded.Rows);
        }

        var golden = Path.Combine(AppContext.BaseDirectory, "Golden", mode + ".txt");
        Assert.Equal(File.ReadAllText(golden), output.ToString());
    }

    [Theory]
    [InlineData(0.1, "0.1")]
    [InlineData(3.0, "3.0")]
    [InlineData(-0.0, "0.0")]
    [InlineData(1e14, "100000000000000.0")]
    [InlineData(1e15, "1.0e+15")]
    [InlineData(123456789012345678.0, "1.23456789012346e+17")]
    [InlineData(1e-5, "1.0e-05")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(1.0 / 3, "0.333333333333333")]
    [InlineData(-2.5e-7, "-2.5e-07")]
    [InlineData(1e100, "1.0e+100")]
    [InlineData(99999999999999.99, "100000000000000.0")]
    [InlineData(12345.678, "12345.678")]
    [InlineData(double.PositiveInfinity, "Inf")]
    public void Reals_are_written_as_sqlite3_writes_them(double value, string expected) => Assert.Equal(expected, CellText.Of(value));

    [Fact]
    public void Headers_can_be_left_out()
    {
        var decoded = ResultSet.Decode(Answer.Table(["id"], [1L]));
        var output = new StringWriter { NewLine = "\n" };
        ResultWriter.Create(OutputMode.Csv, headers: false, output).WriteAll(decoded.Columns, decoded.Rows);
        ResultWriter.Create(OutputMode.Table, headers: false, output).WriteAll(decoded.Columns, decoded.Rows);
        Assert.Equal("1\r\n+---+\n| 1 |\n+---+\n", output.ToString());
    }
}
