namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A run that failed: a wrong answer, or servers that did not start.</summary>
public sealed class BenchException(string message) : Exception(message);
