using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>One run: server, limits, scenario, limits again, report.</summary>
public static class BenchRun
{
    /// <summary>How reports are written.</summary>
    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

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
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(report, Json), cancellationToken);
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
        await using var server = await StartAsync(scenario, options, cancellationToken);
        var remarks = new Remarks();
        var limits = new LimitMeter(server, options, scenario.Limits, remarks);
        var (ownBefore, serverBefore, watch) = (CpuMeter.Read(), await server.UsageAsync(), new MachineWatch());
        await limits.MeasureAsync(cancellationToken);
        var results = await scenario.RunAsync(server, options, remarks, cancellationToken);
        await limits.MeasureAsync(cancellationToken);
        var own = CpuMeter.Read().CpuMicroseconds - ownBefore.CpuMicroseconds + (await server.UsageAsync()).CpuMicroseconds - serverBefore.CpuMicroseconds;
        var others = watch.OthersShare(own);
        if (remarks.HasPeers)
        {
            remarks.Note("what others used of the processors includes the peers' own share");
        }
        else
        {
            remarks.Others(others);
        }

        var versions = new Dictionary<string, string>
        {
            ["replicatedsqlite"] = NodeHost.Version, ["dotnet"] = Environment.Version.ToString(), ["sqlite"] = SqliteVersionGate.Version,
        };
        var all = remarks.OnlyNumbers([.. results.Select(limits.Complete), .. limits.Report()]);
        return new BenchReport(options.Scenario, MachineReader.Read(load, others, remarks.Noise), versions, options.Commit, all, remarks.Notes, remarks.Plots)
        {
            Command = $"bench/run {string.Join(' ', Environment.GetCommandLineArgs().Skip(1).TakeWhile(static word => word != "--commit"))}",
            At = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        };
    }

    private static async Task<ServerProcess> StartAsync(Scenario scenario, BenchOptions options, CancellationToken cancellationToken) =>
        scenario.NeedsCluster && scenario.Groups(options) is { } groups
            ? await ServerProcess.StartApartAsync(groups, options.Matrix, cancellationToken)
            : await ServerProcess.StartAsync(scenario.NeedsCluster ? scenario.Regions(options) : [], cancellationToken);
}
