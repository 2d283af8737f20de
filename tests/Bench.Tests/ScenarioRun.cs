using System.Text.Json;
using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

/// <summary>A scenario for a moment. What it measures then means nothing; that its answers are right does.</summary>
internal static class ScenarioRun
{
    public static async Task EndsWellAsync(string scenario, string headline)
    {
        using var folder = new TemporaryResults();
        Assert.SkipWhen(NeedsEtcd(scenario) && !EtcdProcess.IsThere, $"{scenario} runs nodes as processes of their own, and {EtcdProcess.Missing}.");
        var (output, errors) = (new StringWriter(), new StringWriter());
        var options = new BenchOptions { Scenario = scenario, JsonFile = folder.File, Commit = "test" }.Quick();
        var code = await BenchRun.RunAsync(options, output, errors, TestContext.Current.CancellationToken);
        Assert.True(code == 0, $"{scenario} ended with code {code}: {errors}");
        Assert.Contains(headline, output.ToString(), StringComparison.Ordinal);

        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(folder.File, TestContext.Current.CancellationToken));
        var report = json.RootElement;
        Assert.Equal(["scenario", "machine", "versions", "commit", "results", "notes", "plots", "command", "at"], report.EnumerateObject().Select(property => property.Name));
        Assert.Equal(scenario, report.GetProperty("scenario").GetString());
        Assert.Equal("test", report.GetProperty("commit").GetString());
        Assert.Equal(Environment.ProcessorCount, report.GetProperty("machine").GetProperty("processors").GetInt32());
        Assert.Equal(JsonValueKind.String, report.GetProperty("versions").GetProperty("sqlite").ValueKind);
        foreach (var result in report.GetProperty("results").EnumerateArray())
        {
            Assert.Equal(["name", "unit", "count", "p50", "p99", "mean", "limit", "ratio", "peer", "peerRatio", "spread"], result.EnumerateObject().Select(property => property.Name));
            Assert.True(result.GetProperty("count").GetInt64() > 0, result.ToString());
        }

        Assert.Contains(report.GetProperty("results").EnumerateArray(), result => result.GetProperty("name").GetString() == headline && result.GetProperty("p50").GetDouble() > 0);
    }

    private static bool NeedsEtcd(string scenario) => Scenario.Create(scenario).Groups(new BenchOptions { Scenario = scenario }) is not null;

    private sealed class TemporaryResults : IDisposable
    {
        public string File { get; } = Path.GetTempFileName();

        public void Dispose() => System.IO.File.Delete(File);
    }
}
