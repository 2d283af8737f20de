using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A report for people.</summary>
internal static class ReportTable
{
    private static readonly string[] _heads = ["", "unit", "count", "p50", "p99", "mean", "limit", "ratio"];

    public static void Write(BenchReport report, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(report.Scenario);
        List<string[]> lines = [_heads, .. report.Results.Select(Line)];
        var widths = Enumerable.Range(0, _heads.Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        foreach (var line in lines)
        {
            output.WriteLine(string.Join("  ", line.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
        }

        var machine = report.Machine;
        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{machine.Processors} x {machine.Processor}, load {machine.LoadAverage:F1} before, others used {machine.OthersCpuShare:P0}; commit {report.Commit}"));
        foreach (var noise in machine.Noise)
        {
            output.WriteLine($"TOO NOISY: {noise}.");
        }
    }

    private static string[] Line(BenchResult result) =>
    [
        result.Name, result.Unit, result.Count.ToString(CultureInfo.InvariantCulture),
        Text(result.P50), Text(result.P99), Text(result.Mean), Text(result.Limit),
        result.Ratio?.ToString("F2", CultureInfo.InvariantCulture) ?? "",
    ];

    // Three digits that count.
    private static string Text(double? value) => value switch
    {
        null => "",
        >= 100 => value.Value.ToString("F0", CultureInfo.InvariantCulture),
        >= 10 => value.Value.ToString("F1", CultureInfo.InvariantCulture),
        >= 1 => value.Value.ToString("F2", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("F3", CultureInfo.InvariantCulture),
    };
}
