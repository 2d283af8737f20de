using System.Text.Json;
using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

public sealed class ReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rs-report-").FullName;

    [Fact]
    public async Task Results_become_a_page_with_their_plots_and_what_was_said_about_them()
    {
        var report = new BenchReport(
            "writes",
            new BenchMachine("a processor", 2, "a system", 0.5, 0.3, ["others were busy"]),
            new Dictionary<string, string>(),
            "abc",
            [new("inserts, 1 session", "1/s", 10, 12_345, null, 12_000, 20_000, 0.62), new("inserts, 1 session", "1/s", 10, 6000, null, 6000, null, null, "PostgreSQL", 2.06)],
            ["PostgreSQL: something differs"],
            [new("throughput", "Inserts", PlotKind.Doublings, "sessions", "1/s", [new("ours", [[1, 12_345], [64, 20_000]])])]) { Command = "bench/run writes", At = "2026-01-02 03:04:05" };
        var file = Path.Combine(_folder, "writes.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, BenchRun.Json), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_folder, "writes.md"), "The disk limits it.", TestContext.Current.CancellationToken);
        var page = Path.Combine(_folder, "RESULTS.md");

        await ReportWriter.WriteAsync([file], page, _folder);

        var text = await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken);
        Assert.Contains("The disk limits it.", text, StringComparison.Ordinal);
        Assert.Contains("| inserts, 1 session | 1/s | 12,345 |  | 20,000 | 0.62 |  |  |", text, StringComparison.Ordinal);
        Assert.Contains("| inserts, 1 session; *PostgreSQL* | 1/s | 6000 |  |  |  |  | 2.06 |", text, StringComparison.Ordinal);
        Assert.Contains("Too noisy: others were busy.", text, StringComparison.Ordinal);
        Assert.Contains("plots/writes-throughput.svg", text, StringComparison.Ordinal);
        Assert.Contains("<polyline", await File.ReadAllTextAsync(Path.Combine(_folder, "plots", "writes-throughput.svg"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_round_in_which_no_call_ended_only_what_is_a_number_is_reported()
    {
        var remarks = new Remarks();
        BenchResult whole = new("reads", "1/s", 10, 5, null, 5, null, null);
        var all = remarks.OnlyNumbers([whole, new("inserts", "1/s", 3, 1, null, double.NaN, 7, null, null, double.PositiveInfinity, double.PositiveInfinity)]);
        Assert.Equal([whole, new("inserts", "1/s", 3, 1, null, null, 7, null)], all);
        Assert.Equal(["not one call of 'inserts', or of its limit, ended in a round"], remarks.Noise);
        Assert.NotEmpty(JsonSerializer.Serialize(all, BenchRun.Json));
    }

    [Fact]
    public async Task What_holds_no_results_is_refused()
    {
        var file = Path.Combine(_folder, "bad.json");
        await File.WriteAllTextAsync(file, "no results", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<BenchException>(() => ReportWriter.WriteAsync([file], Path.Combine(_folder, "RESULTS.md"), _folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
