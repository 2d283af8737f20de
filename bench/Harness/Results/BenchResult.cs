using System.Text.Json.Serialization;

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
/// <param name="Peer">The system that was measured instead, in the same run; <see langword="null"/>: this one.</param>
/// <param name="PeerRatio">Of a peer's line: how many times its value ours is.</param>
/// <param name="Spread">Of a rate: the greatest of the rounds divided by the least.</param>
public sealed record BenchResult(
    string Name, string Unit, long Count, double? P50, double? P99, double? Mean, double? Limit, double? Ratio, string? Peer = null, double? PeerRatio = null, double? Spread = null)
{
    /// <summary>The limit that is put in when all of them have been measured for the second time.</summary>
    [JsonIgnore]
    internal LimitKind? Against { get; init; }

    /// <summary>The same without what is no number: costs of a round without calls, and what they are divided by. No file and no table has a place for it.</summary>
    internal BenchResult OnlyNumbers() => this with
    {
        P50 = Number(P50), P99 = Number(P99), Mean = Number(Mean), Limit = Number(Limit), Ratio = Number(Ratio), PeerRatio = Number(PeerRatio), Spread = Number(Spread),
    };

    private static double? Number(double? figure) => figure is { } value && double.IsFinite(value) ? value : null;
}

/// <summary>Where a run was made.</summary>
/// <param name="OthersCpuShare">Of all processors, used by other processes during the run; 0 to 1.</param>
/// <param name="Noise">Why its figures should not be compared; empty if they may be.</param>
public sealed record BenchMachine(string Processor, int Processors, string System, double? LoadAverage, double? OthersCpuShare, IReadOnlyList<string> Noise);

/// <summary>A run, as it is written to a file.</summary>
/// <param name="Notes">What was left out, and how the peers differ.</param>
/// <param name="Plots">What can be drawn.</param>
public sealed record BenchReport(
    string Scenario, BenchMachine Machine, IReadOnlyDictionary<string, string> Versions, string Commit, IReadOnlyList<BenchResult> Results, IReadOnlyList<string> Notes,
    IReadOnlyList<BenchPlot> Plots)
{
    /// <summary>Command line and time of the run.</summary>
    public string Command { get; init; } = "";

    /// <summary>UTC, to the second.</summary>
    public string At { get; init; } = "";
}
