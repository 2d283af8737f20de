using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ReplicatedSqlite.EndToEnd;

/// <summary><c>./run demo</c> as a person starts it: the executable, in a process of its own.</summary>
public sealed partial class DemoTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Demo_shows_an_old_list_without_a_session_and_none_with_one()
    {
        var (code, output, error) = await RunAsync("demo");

        Assert.Equal("", error);
        Assert.Equal(0, code);
        Assert.Contains("24 products, 40 customers, 200 orders", output, StringComparison.Ordinal);
        Assert.Contains("Order 201 is missing: the list is old.", output, StringComparison.Ordinal);
        Assert.Matches(BookmarkLine(), output);
        Assert.True(WaitOf(WaitedLine().Match(output)) > 150, "the replica held back by 300 ms waited for the bookmark: " + output);
        foreach (var region in new[] { "enam", "weur", "apac" })
        {
            Assert.Matches($@"(?m)^   {region} .* 12 of 12 ", output);
        }

        Assert.Matches(@"(?m)^   enam .* 0 of 12\r?$", output);
        Assert.Matches(@"(?m)^   apac .* 12 of 12\r?$", output);
    }

    [Fact]
    public async Task Demo_takes_a_dump_of_the_users_own_and_keeps_its_table_out_of_the_way()
    {
        var file = Path.Combine(Path.GetTempPath(), $"demo-{Guid.NewGuid():N}.sql");
        await File.WriteAllTextAsync(
            file,
            "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE orders(id INTEGER PRIMARY KEY);\nCREATE TABLE Demo_Orders(x);\nINSERT INTO orders VALUES(1);\nCOMMIT;\n",
            TestContext.Current.CancellationToken);
        try
        {
            var (code, output, error) = await RunAsync("demo", "--sql", file, "--regions", "here,there", "--delay", "there=50ms");

            Assert.Equal("", error);
            Assert.Equal(0, code);
            Assert.Contains("2 tables", output, StringComparison.Ordinal);
            Assert.Contains("the demo's own table is demo_orders_2", output, StringComparison.Ordinal);
            Assert.Matches(@"(?m)^   there +replica +50 ms +12 of 12 ", output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Demo_names_the_line_of_a_file_that_does_not_load()
    {
        var file = Path.Combine(Path.GetTempPath(), $"demo-{Guid.NewGuid():N}.sql");
        await File.WriteAllTextAsync(file, "CREATE TABLE a(x);\nINSERT INTO b VALUES (1);\n", TestContext.Current.CancellationToken);
        try
        {
            var (code, _, error) = await RunAsync("demo", "--sql", file);

            Assert.Equal(1, code);
            Assert.Contains("no such table: b", error, StringComparison.Ordinal);
            Assert.Contains(Path.GetFileName(file) + ":2", error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("there is no file 'missing.sql'", "demo", "--sql", "missing.sql")]
    [InlineData("two or more", "demo", "--regions", "enam")]
    [InlineData("'soon' is no delay", "demo", "--delay", "soon")]
    [InlineData("region 'mars', which is not one of", "demo", "--delay", "mars=1s")]
    public async Task Demo_says_what_is_wrong_with_its_options(string expected, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);

        Assert.Equal(1, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        cancellation.CancelAfter(_patience);
        using var owned = cancellation;
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ReplicatedSqlite.Node.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation.Token);
            var error = process.StandardError.ReadToEndAsync(cancellation.Token);
            await process.WaitForExitAsync(cancellation.Token);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static double WaitOf(Match line) => double.Parse(line.Groups["ms"].Value, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?m)^      [0-9a-f]{8}-[0-9a-f]{16}-[0-9a-f]{16}\r?$")]
    private static partial Regex BookmarkLine();

    // The first one that waited at all: the list that sent the bookmark along.
    [GeneratedRegex(@"(?m)^      apac waited (?<ms>[1-9][0-9]*\.[0-9]) ms, .*It is there\.")]
    private static partial Regex WaitedLine();
}
