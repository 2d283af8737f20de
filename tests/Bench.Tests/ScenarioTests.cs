using System.Reflection;
using System.Text.Json;
using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

/// <summary>Every scenario for a moment, so that the harness never rots. What it measures then means nothing; that its answers are right does.</summary>
public sealed class ScenarioTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Theory]
    [InlineData("backup", "fork until its first query is answered")]
    [InlineData("bytes", "sequential insert: patch")]
    [InlineData("client", "rows by ExecuteReader")]
    [InlineData("confirm-lag", "confirm lag weur")]
    [InlineData("echo", "echo 64 KiB, 8 callers")]
    [InlineData("gzip", "gzip, 64 KiB, 8 callers")]
    [InlineData("isolation", "point reads beside: an endless query")]
    [InlineData("journal", "fdatasyncs a record, 10000 databases")]
    [InlineData("recovery", "takeover by another node: first answered write")]
    [InlineData("stream", "rows by Stream")]
    [InlineData("catch-up", "one-row writes applied, from the node's return until the last is seen")]
    [InlineData("cold-start", "first read at a replica")]
    [InlineData("d1-table", "primary wnam: confirm lag weur")]
    [InlineData("failover", "longest time without an answer, primary's process killed")]
    [InlineData("fan-out", "confirm lag, 2 replicas: median of the regions")]
    [InlineData("many-databases", "point reads, 8 databases, 8 callers")]
    [InlineData("mixed", "mixed: read of one's own write")]
    [InlineData("read-your-writes", "weur: read of the own write")]
    [InlineData("transaction", "3 reads: added by the transaction")]
    [InlineData("reads", "point reads, 8 callers")]
    [InlineData("writes", "inserts, 8 sessions")]
    public async Task A_scenario_ends_well_and_writes_its_results(string scenario, string headline)
    {
        Assert.SkipWhen(NeedsEtcd(scenario) && !EtcdProcess.IsThere, $"{scenario} runs nodes as processes of their own, and {EtcdProcess.Missing}.");
        var (output, errors) = (new StringWriter(), new StringWriter());
        var options = new BenchOptions { Scenario = scenario, JsonFile = _file, Commit = "test" }.Quick();
        var code = await BenchRun.RunAsync(options, output, errors, TestContext.Current.CancellationToken);
        Assert.True(code == 0, $"{scenario} ended with code {code}: {errors}");
        Assert.Contains(headline, output.ToString(), StringComparison.Ordinal);

        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(_file, TestContext.Current.CancellationToken));
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

    [Fact]
    public void Every_scenario_is_run_here()
    {
        var run = typeof(ScenarioTests).GetMethod(nameof(A_scenario_ends_well_and_writes_its_results))!.GetCustomAttributes<InlineDataAttribute>().Select(data => (string)data.Data[0]!);
        Assert.Equal(Scenario.All.Select(scenario => scenario.Name).Order(), run.Order());
    }

    private static bool NeedsEtcd(string scenario) => Scenario.Create(scenario).Groups(new BenchOptions { Scenario = scenario }) is not null;

    public void Dispose() => File.Delete(_file);
}
