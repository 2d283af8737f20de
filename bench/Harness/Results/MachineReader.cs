using System.Globalization;
using System.Runtime.InteropServices;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>Describes the machine, as far as the system tells.</summary>
internal static class MachineReader
{
    public static BenchMachine Read(double? loadAverage, double? othersShare, IReadOnlyList<string> noise) =>
        new(Processor(), Environment.ProcessorCount, RuntimeInformation.OSDescription, loadAverage, othersShare, noise);

    /// <summary>Processes that ran or waited to run in the last minute.</summary>
    public static double? LoadAverage() =>
        Read("/proc/loadavg") is { } text ? double.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture) : null;

    private static string Processor() =>
        Read("/proc/cpuinfo")?.Split('\n').FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
        ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static string? Read(string path) => File.Exists(path) ? File.ReadAllText(path) : null;
}
