using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Node;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The process that a scenario calls: echo servers, and a local cluster if it needs one. Ends when its standard input does.</summary>
internal static class BenchServer
{
    public static async Task<int> RunAsync(string? dataFolder, IReadOnlyList<string> regions, bool keepsLog, CancellationToken cancellationToken)
    {
        using var lag = new LagRecorder();
        using var groups = new GroupCounter();
        await using var bare = await EchoServers.StartBareAsync(cancellationToken);
        await using var echo = await EchoServers.StartGrpcAsync(cancellationToken);
        await using var gzip = await EchoServers.StartGzipAsync(cancellationToken);
        await using var cluster = dataFolder is null
            ? null
            : await LocalCluster.StartAsync(
                new LocalClusterOptions { DataFolder = dataFolder, Regions = regions, Configure = keepsLog ? KeepLog : static options => options }, TimeProvider.System, new Random(1), NullLoggerFactory.Instance, cancellationToken);
        Answer(new ServerReady(AddressOf(bare), AddressOf(echo), AddressOf(gzip), [.. (cluster?.Nodes ?? []).Select(node => new ServerNode(node.Region, node.GrpcAddress))]));
        while (await Console.In.ReadLineAsync(cancellationToken) is { } command)
        {
            switch (command)
            {
                case ControlCommand.Usage:
                    Answer(CpuMeter.Read());
                    break;
                case ControlCommand.ResetLag:
                    lag.Reset();
                    Answer(true);
                    break;
                case ControlCommand.Groups:
                    Answer(groups.Count);
                    break;
                case ControlCommand.Lag:
                    Answer(lag.Summarize());
                    break;
                default:
                    await Console.Error.WriteLineAsync($"The command '{command}' is unknown.");
                    return 2;
            }
        }

        return 0;
    }

    // No checkpoint, so that the whole log stays behind its base.
    private static NodeOptions KeepLog(NodeOptions options) => options with
    {
        Primary = options.Primary with { CheckpointBytes = long.MaxValue / 4, RestartWalBytes = long.MaxValue / 4, IdleCheckpoint = TimeSpan.FromDays(1) },
    };

    private static Uri AddressOf(WebApplication app) => new(app.Urls.Single());

    private static void Answer<T>(T answer)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(answer));
        Console.Out.Flush();
    }
}
