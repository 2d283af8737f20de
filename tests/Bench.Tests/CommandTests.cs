using System.Diagnostics;
using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

public sealed class CommandTests
{
    [Theory]
    [InlineData("echo --regions enam --quick", "at least two are wanted")]
    [InlineData("confirm-lag --rate 0", "at least 1 is wanted")]
    [InlineData("echo --seconds -1", "0 to 86400 seconds are wanted")]
    [InlineData("nonsense", "nonsense")]
    public async Task What_cannot_be_measured_is_refused_with_a_text(string arguments, string text)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(BenchOptions).Assembly.Location);
        foreach (var argument in arguments.Split(' '))
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await output;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains(text, errors, StringComparison.Ordinal);
    }
}
