namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The nodes of one process.</summary>
/// <param name="Regions">One node each; a region may come several times.</param>
/// <param name="ReplicasOnly">They lead nothing and keep no log durable.</param>
internal sealed record NodeGroup(IReadOnlyList<string> Regions, bool ReplicasOnly = false);
