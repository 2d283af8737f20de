using System.Globalization;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>A report for people.</summary>
internal static class ReportTable
{
    private static readonly string[] _heads = ["", "unit", "count", "p50", "p99", "mean", "limit", "ratio", "spread", "ours/peer"];

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
        foreach (var note in report.Notes)
        {
            output.WriteLine($"NOTE: {note}.");
        }

        foreach (var noise in machine.Noise)
        {
            output.WriteLine($"TOO NOISY: {noise}.");
        }
    }

    /// <summary>Three digits that count.</summary>
    public static string Text(double? value) => value switch
    {
        null => "",
        >= 100 or <= -100 => value.Value.ToString("F0", CultureInfo.InvariantCulture),
        >= 10 or <= -10 => value.Value.ToString("F1", CultureInfo.InvariantCulture),
        >= 1 or <= -1 => value.Value.ToString("F2", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("F3", CultureInfo.InvariantCulture),
    };

    private static string[] Line(BenchResult result) =>
    [
        result.Peer is null ? result.Name : $"{result.Name} | {result.Peer}", result.Unit, result.Count.ToString(CultureInfo.InvariantCulture),
        Text(result.P50), Text(result.P99), Text(result.Mean), Text(result.Limit),
        result.Ratio?.ToString("F2", CultureInfo.InvariantCulture) ?? "",
        result.Spread?.ToString("F2", CultureInfo.InvariantCulture) ?? "",
        result.PeerRatio?.ToString("F2", CultureInfo.InvariantCulture) ?? "",
    ];
}
