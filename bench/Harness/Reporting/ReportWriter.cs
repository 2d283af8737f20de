using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Joins the results of several runs into one page, with their plots and what was written about each.</summary>
internal static class ReportWriter
{
    /// <summary>Writes the page, and its plots into the folder <c>plots</c> beside it.</summary>
    /// <param name="files">Results, as <c>--json</c> writes them.</param>
    /// <param name="output">The page.</param>
    /// <param name="texts">A folder: the file <c>SCENARIO.md</c> of each says what its figures mean and what limits them.</param>
    /// <exception cref="BenchException">A file holds no results.</exception>
    public static async Task WriteAsync(IReadOnlyList<string> files, string output, string texts)
    {
        var reports = new List<(string Name, BenchReport Report)>();
        foreach (var file in files)
        {
            reports.Add((Path.GetFileNameWithoutExtension(file), await ReadAsync(file)));
        }

        var plots = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(output))!, "plots")).FullName;
        var page = new StringBuilder();
        page.AppendLine("# Results").AppendLine();
        page.AppendLine("Written by `bench/report` from what `bench/run SCENARIO --json` measured; [docs/benchmarks.md](../docs/benchmarks.md) says how. Figures of one section are of one run; those of different sections must not be compared.");
        page.AppendLine("A ratio is to the limit that was measured in the same run. Where the limit moved too much there is none. `ours/peer` is our value divided by the peer's: above 1 is better for rates (1/s), below 1 for times (ms).");
        foreach (var (name, report) in reports)
        {
            await AppendAsync(page, name, report, plots, Path.Combine(texts, $"{name}.md"));
        }

        await File.WriteAllTextAsync(output, page.ToString());
    }

    private static async Task<BenchReport> ReadAsync(string file)
    {
        try
        {
            await using var stream = File.OpenRead(file);
            return await JsonSerializer.DeserializeAsync<BenchReport>(stream, BenchRun.Json) ?? throw new BenchException($"{file} holds no results.");
        }
        catch (JsonException e)
        {
            throw new BenchException($"{file} holds no results: {e.Message}");
        }
    }

    private static async Task AppendAsync(StringBuilder page, string name, BenchReport report, string plots, string text)
    {
        var what = Scenario.All.FirstOrDefault(scenario => scenario.Name == report.Scenario).What ?? report.Scenario;
        page.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"## {name}").AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"**{what}**").AppendLine();
        if (File.Exists(text))
        {
            page.AppendLine((await File.ReadAllTextAsync(text)).Trim()).AppendLine();
        }

        foreach (var plot in report.Plots)
        {
            if (SvgPlot.Draw(plot) is { } svg)
            {
                var file = $"{name}-{plot.Name}.svg";
                await File.WriteAllTextAsync(Path.Combine(plots, file), svg);
                page.AppendLine(CultureInfo.InvariantCulture, $"![{plot.Title}](plots/{file})").AppendLine();
            }
        }

        page.AppendLine("| | unit | p50 | p99 | limit | ratio | spread | ours/peer |").AppendLine("|---|---|---|---|---|---|---|---|");
        foreach (var result in report.Results.Where(static result => result.Unit is not ("B/call" or "us/call") || result.Name.Contains("CPU", StringComparison.Ordinal)))
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"| {result.Name}{(result.Peer is null ? "" : $"; *{result.Peer}*")} | {result.Unit} | {Number(result.P50)} | {Number(result.P99)} | {Number(result.Limit)} | {Ratio(result.Ratio)} | {Ratio(result.Spread)} | {Ratio(result.PeerRatio)} |");
        }

        page.AppendLine();
        page.AppendLine(CultureInfo.InvariantCulture, $"`{report.Command}`, {report.At} UTC, commit {report.Commit}, {report.Machine.Processors} x {report.Machine.Processor}, others used {report.Machine.OthersCpuShare:P0} of the processors.");
        foreach (var line in report.Machine.Noise.Select(static noise => $"Too noisy: {noise}.").Concat(report.Notes.Select(static note => $"{note}.")))
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"- {line}");
        }
    }

    private static string Number(double? value) => value is >= 10_000 ? value.Value.ToString("N0", CultureInfo.InvariantCulture) : ReportTable.Text(value);

    private static string Ratio(double? value) => value?.ToString("F2", CultureInfo.InvariantCulture) ?? "";
}
