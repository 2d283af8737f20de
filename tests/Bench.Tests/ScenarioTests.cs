using System.Reflection;
using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

/// <summary>Every scenario for a moment, so that the harness never rots. Those of one process are here, those that start several or wait for much in <see cref="SlowScenarioTests"/>, beside them.</summary>
public sealed class ScenarioTests
{
    [Theory]
    [InlineData("backup", "fork until its first query is answered")]
    [InlineData("bytes", "sequential insert: patch")]
    [InlineData("confirm-lag", "confirm lag weur")]
    [InlineData("echo", "echo 64 KiB, 8 callers")]
    [InlineData("gzip", "gzip, 64 KiB, 8 callers")]
    [InlineData("journal", "fdatasyncs a record, 10000 databases")]
    [InlineData("stream", "rows by Stream")]
    [InlineData("mixed", "mixed: read of one's own write")]
    [InlineData("read-your-writes", "weur: read of the own write")]
    [InlineData("reads", "point reads, 8 callers")]
    [InlineData("writes", "inserts, 8 sessions")]
    public Task A_scenario_ends_well_and_writes_its_results(string scenario, string headline) => ScenarioRun.EndsWellAsync(scenario, headline);

    [Fact]
    public void Every_scenario_is_run_here()
    {
        var run = new[] { typeof(ScenarioTests), typeof(SlowScenarioTests) }
            .SelectMany(tests => tests.GetMethod(nameof(A_scenario_ends_well_and_writes_its_results))!.GetCustomAttributes<InlineDataAttribute>())
            .Select(data => (string)data.Data[0]!);
        Assert.Equal(Scenario.All.Select(scenario => scenario.Name).Order(), run.Order());
    }
}
