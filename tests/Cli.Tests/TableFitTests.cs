namespace ReplicatedSqlite.Cli.Tests;

public sealed class TableFitTests
{
    [Theory]
    [InlineData(30)]
    [InlineData(40)]
    [InlineData(79)]
    public void A_table_fits_the_terminal(int width)
    {
        var text = Write(width, ["id", "name", "note"], ["1", "short", new string('x', 200)], ["2", "日本語の長い名前がここにある", "y"]);
        Assert.All(text.Split('\n'), line => Assert.True(CellText.Width(line) <= width, line));
        Assert.Contains("…", text, StringComparison.Ordinal);
        Assert.Contains("| 1 ", text, StringComparison.Ordinal); // what is narrow stays whole
    }

    [Fact]
    public void Where_nothing_can_be_cut_rows_are_lists()
    {
        var names = Enumerable.Range(0, 12).Select(i => $"column{i}").ToArray();
        var text = Write(60, names, [.. names.Select(name => new string('v', 20))]);
        Assert.StartsWith("-- row 1 --\n column0 = vvvv", text, StringComparison.Ordinal);
        Assert.Equal(1 + 12, text.TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public void Without_a_terminal_nothing_is_cut() => Assert.Contains(new string('x', 500), Write(null, ["a"], [new string('x', 500)]), StringComparison.Ordinal);

    private static string Write(int? width, string[] names, params string[][] rows)
    {
        var output = new StringWriter { NewLine = "\n" };
        var table = new TextTable(names);
        foreach (var row in rows) table.Add(row);
        table.Write(ResultWriter.Create(OutputMode.Table, headers: true, output, width));
        return output.ToString();
    }
}
