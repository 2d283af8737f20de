namespace ReplicatedSqlite.Bench.Harness;

/// <summary>What the process that is called runs.</summary>
/// <param name="Data">Its folder; <see langword="null"/>: no node, only the echo servers.</param>
/// <param name="Regions">Of its nodes. Without etcd they are a cluster of their own.</param>
/// <param name="KeepsLog">Primaries make no checkpoint.</param>
/// <param name="Snapshots">Another snapshot is due soon after the last.</param>
/// <param name="Etcd">Coordinates the nodes with those of other processes.</param>
/// <param name="Advertised">The address by which others reach its nodes; <see langword="null"/>: loopback.</param>
/// <param name="ReplicasOnly">Its nodes lead nothing and keep no log durable.</param>
/// <param name="GrainIdle">A database that nobody uses for so long leaves memory.</param>
internal sealed record BenchServerOptions(string? Data, IReadOnlyList<string> Regions, bool KeepsLog, bool Snapshots, Uri? Etcd, string? Advertised, bool ReplicasOnly, TimeSpan? GrainIdle);
