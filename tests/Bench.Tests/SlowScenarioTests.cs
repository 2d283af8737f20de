namespace ReplicatedSqlite.Bench.Tests;

/// <summary>Scenarios that start several processes, or wait for much.</summary>
public sealed class SlowScenarioTests
{
    [Theory]
    [InlineData("client", "rows by ExecuteReader")]
    [InlineData("isolation", "point reads beside: an endless query")]
    [InlineData("recovery", "takeover by another node: first answered write")]
    [InlineData("catch-up", "one-row writes applied, from the node's return until the last is seen")]
    [InlineData("cold-start", "first read at a replica")]
    [InlineData("cold-storage", "fork until its first query is answered")]
    [InlineData("d1-table", "primary wnam: confirm lag weur")]
    [InlineData("failover", "longest time without an answer, primary's process killed")]
    [InlineData("fan-out", "confirm lag, 2 replicas: median of the regions")]
    [InlineData("lag-pairs", "enam to weur, beside the one-way delay")]
    [InlineData("many-databases", "point reads, 8 databases, 8 callers")]
    [InlineData("transaction", "3 reads, one transaction")]
    public Task A_scenario_ends_well_and_writes_its_results(string scenario, string headline) => ScenarioRun.EndsWellAsync(scenario, headline);
}
