namespace ReplicatedSqlite.Cli.Tests;

public sealed class EditingTests : IDisposable
{
    private static readonly SchemaNames _shop = new(new Dictionary<string, IReadOnlyList<string>> { ["orders"] = ["id", "customer", "placed_at"], ["items"] = ["id", "price"], ["o_log"] = ["at"] });

    private readonly string _folder = Directory.CreateTempSubdirectory("rsql-history-").FullName;

    [Fact]
    public void Keys_move_through_the_line_and_change_it()
    {
        var line = new EditBuffer();
        line.Insert("SELECT a, bb FROM t");
        line.WordLeft();
        line.WordLeft();
        Assert.Equal("FROM t", line.Text[line.Cursor..]);
        line.CutWord();
        Assert.Equal("SELECT a, FROM t", line.Text);
        line.End();
        line.Insert("😀x");
        line.Left();
        line.Backspace();
        Assert.Equal("SELECT a, FROM tx", line.Text);
        line.Home();
        line.Delete();
        line.Right();
        line.CutToEnd();
        Assert.Equal("E", line.Text);
        line.Paste();
        Assert.Equal("ELECT a, FROM tx", line.Text);
        line.CutToStart();
        Assert.Equal(("", 0), (line.Text, line.Cursor));
        line.Backspace();
        line.Delete();
        line.Left();
        line.Right();
        Assert.Equal("", line.Text);
    }

    [Fact]
    public void History_goes_back_and_forth_and_keeps_what_was_being_typed()
    {
        var history = new History(null);
        history.Add("SELECT 1;");
        history.Add("SELECT 1;"); // twice in a row is once
        history.Add("SELECT\n2;");
        history.Add(" SELECT 'secret';");
        Assert.Equal("SELECT\n2;", history.Older("typing"));
        Assert.Equal("SELECT 1;", history.Older(""));
        Assert.Null(history.Older(""));
        Assert.Equal("SELECT\n2;", history.Newer());
        Assert.Equal("typing", history.Newer());
        Assert.Null(history.Newer());
    }

    [Fact]
    public void History_is_there_again_the_next_time_for_nobody_else()
    {
        var path = Path.Combine(_folder, "deep", "history");
        var first = new History(path);
        first.Add("SELECT 'a\\n',\n'b';");
        first.Add("SELECT 2;");

        Assert.Equal(["SELECT 'a\\n',\n'b';", "SELECT 2;"], new History(path).Entries);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Theory]
    [InlineData("sel", "sel:select")]
    [InlineData("SELECT * FROM o", "o:o_log,orders")]
    [InlineData("SELECT c FROM orders|", "")]
    [InlineData("SELECT cu", "cu:CURRENT_DATE")]
    [InlineData("SELECT orders.", ":customer,id,placed_at")]
    [InlineData("SELECT orders.p", "p:placed_at")]
    [InlineData("SELECT x.pr", "pr:price,PRIMARY")]
    [InlineData(".ta", ".ta:.tables")]
    [InlineData(".schema or", "or:orders")]
    [InlineData(".mode j", "j:json")]
    [InlineData("SELECT ", "")]
    public void Words_are_completed_by_what_stands_before_them(string text, string expected)
    {
        var (start, words) = Completer.Complete(text, text.Length, _shop);
        if (expected.Length == 0)
        {
            Assert.True(words.Count == 0 || text.EndsWith('|'));
            return;
        }

        var (word, first) = (expected.Split(':')[0], expected.Split(':')[1].Split(',')[0]);
        Assert.Equal(word, text[start..]);
        Assert.Contains(first, words, StringComparer.OrdinalIgnoreCase);
        Assert.All(words, found => Assert.StartsWith(word, found, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void What_candidates_have_in_common_is_put_in_at_once() => Assert.Equal("or", Completer.CommonBeginning(["orders", "ORDER", "or_log"]));

    [Fact]
    public async Task Ctrl_c_ends_the_statement_first_and_the_program_where_there_is_none()
    {
        using var interrupts = new Interrupts(listens: false);
        using (var statement = interrupts.BeginStatement(TestContext.Current.CancellationToken))
        {
            Assert.True(interrupts.Raise());
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, statement.Token));
            Assert.False(interrupts.Token.IsCancellationRequested);
            Assert.False(interrupts.Raise()); // it does not listen: the process is to end
            interrupts.EndStatement();
        }

        Assert.True(interrupts.Raise());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, interrupts.Token));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
