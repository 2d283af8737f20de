using System.Text.Json;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>One run: server, scenario, report.</summary>
public static class BenchRun
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Runs a scenario and reports.</summary>
    /// <returns>The exit code: 1 after a wrong answer.</returns>
    public static async Task<int> RunAsync(BenchOptions options, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        try
        {
            var report = await MeasureAsync(options, cancellationToken);
            ReportTable.Write(report, output);
            if (options.JsonFile is { } file)
            {
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, _json), cancellationToken);
            }

            return 0;
        }
        catch (Exception e) when (e is BenchException or ReplicatedSqliteException or Grpc.RpcException or IOException)
        {
            await errors.WriteLineAsync($"{options.Scenario} failed: {e.Message}");
            return 1;
        }
    }

    private static async Task<BenchReport> MeasureAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        var scenario = Scenario.Create(options.Scenario);
        var load = MachineReader.LoadAverage();
        await using var server = await ServerProcess.StartAsync(scenario.NeedsCluster ? options.Regions : [], cancellationToken);
        var noise = new Noise();
        var (ownBefore, serverBefore, watch) = (CpuMeter.Read(), await server.UsageAsync(), new MachineWatch());
        var results = await scenario.RunAsync(server, options, noise, cancellationToken);
        var own = CpuMeter.Read().CpuMicroseconds - ownBefore.CpuMicroseconds + (await server.UsageAsync()).CpuMicroseconds - serverBefore.CpuMicroseconds;
        var others = watch.OthersShare(own);
        noise.Others(others);
        var versions = new Dictionary<string, string>
        {
            ["replicatedsqlite"] = NodeHost.Version, ["dotnet"] = Environment.Version.ToString(), ["sqlite"] = SqliteVersionGate.Version,
        };
        return new BenchReport(options.Scenario, MachineReader.Read(load, others, noise.Findings), versions, options.Commit, results);
    }
}
