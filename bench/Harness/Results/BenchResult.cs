namespace ReplicatedSqlite.Bench.Harness;

/// <summary>One line of a report.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Unit">Of all the values.</param>
/// <param name="Count">Calls or samples.</param>
/// <param name="P50">Of the samples; of a rate, the median of the rounds.</param>
/// <param name="P99">Of the samples; absent for a rate.</param>
/// <param name="Mean">Of the samples or of the rounds.</param>
/// <param name="Limit">What the machine can do at most, measured in the same run.</param>
/// <param name="Ratio">To the limit; the median of the rounds where both were measured in turns. Absent if the limit moved too much to compare.</param>
public sealed record BenchResult(string Name, string Unit, long Count, double? P50, double? P99, double? Mean, double? Limit, double? Ratio);

/// <summary>Where a run was made.</summary>
/// <param name="OthersCpuShare">Of all processors, used by other processes during the run; 0 to 1.</param>
/// <param name="Noise">Why its figures should not be compared; empty if they may be.</param>
public sealed record BenchMachine(string Processor, int Processors, string System, double? LoadAverage, double? OthersCpuShare, IReadOnlyList<string> Noise);

/// <summary>A run, as it is written to a file.</summary>
public sealed record BenchReport(
    string Scenario, BenchMachine Machine, IReadOnlyDictionary<string, string> Versions, string Commit, IReadOnlyList<BenchResult> Results);
