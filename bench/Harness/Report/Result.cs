using System.Text.Json.Serialization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>One figure of a run.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Unit">Of p50, p99 and mean.</param>
/// <param name="Count">How many samples, or rounds where it is a rate.</param>
/// <param name="P50">Median.</param>
/// <param name="P99">99th percentile; of rates, the least.</param>
/// <param name="Mean">Mean.</param>
/// <param name="Limit">What the machine allows in the same run, in the same unit; none: null.</param>
/// <param name="Ratio">Median to limit.</param>
internal sealed record Result(string Name, string Unit, long Count, double P50, double P99, double Mean, double? Limit = null, double? Ratio = null)
{
    /// <summary>A rate over several rounds.</summary>
    public static Result Rate(string name, IReadOnlyList<double> perSecond, double? limit = null) =>
        new(name, "1/s", perSecond.Count, Median(perSecond), perSecond.Min(), perSecond.Average(), limit, limit is { } l ? Median(perSecond) / l : null);

    /// <summary>Latencies or costs.</summary>
    public static Result Of(string name, string unit, Samples samples, double? limit = null) =>
        new(name, unit, samples.Count, samples.Percentile(50), samples.Percentile(99), samples.Mean, limit, limit is { } l ? samples.Percentile(50) / l : null);

    /// <summary>One number a round.</summary>
    public static Result Values(string name, string unit, IReadOnlyList<double> values) =>
        new(name, unit, values.Count, Median(values), values.Max(), values.Average());

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>A run as it is written to a file.</summary>
internal sealed record Report(
    [property: JsonPropertyName("scenario")] string Scenario,
    [property: JsonPropertyName("machine")] string Machine,
    [property: JsonPropertyName("versions")] IReadOnlyDictionary<string, string> Versions,
    [property: JsonPropertyName("commit")] string Commit,
    [property: JsonPropertyName("results")] IReadOnlyList<Result> Results,
    [property: JsonPropertyName("notes")] IReadOnlyList<string> Notes);
