using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Prints a run as a table, and writes it as JSON where that is wanted.</summary>
internal static class ReportWriter
{
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static void Print(string scenario, IReadOnlyList<Result> results, IReadOnlyList<string> notes)
    {
        Console.WriteLine();
        Console.WriteLine(scenario);
        Console.WriteLine($"  {"",-52} {"unit",-8} {"count",9} {"p50",12} {"p99",12} {"mean",12} {"limit",12} {"ratio",7}");
        foreach (var result in results)
        {
            Console.WriteLine(
                $"  {result.Name,-52} {result.Unit,-8} {result.Count,9} {Number(result.P50),12} {Number(result.P99),12} {Number(result.Mean),12} " +
                $"{(result.Limit is { } limit ? Number(limit) : ""),12} {(result.Ratio is { } ratio ? ratio.ToString("F2", CultureInfo.InvariantCulture) : ""),7}");
        }

        foreach (var note in notes)
        {
            Console.WriteLine($"  ! {note}");
        }
    }

    public static void Write(string file, string scenario, string commit, IReadOnlyList<Result> results, IReadOnlyList<string> notes) => File.WriteAllText(
        file,
        JsonSerializer.Serialize(
            new Report(
                scenario,
                $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors",
                new Dictionary<string, string>
                {
                    ["replicatedSqlite"] = NodeHost.Version, ["sqlite"] = SqliteVersionGate.Version, ["dotnet"] = RuntimeInformation.FrameworkDescription,
                },
                commit,
                results,
                notes),
            _json));

    private static string Number(double value) => value switch
    {
        >= 1000 => value.ToString("F0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("F1", CultureInfo.InvariantCulture),
        _ => value.ToString("F3", CultureInfo.InvariantCulture),
    };
}
