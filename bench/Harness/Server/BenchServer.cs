using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The process that a scenario calls: echo servers, and a cluster or some of its nodes. Ends when its standard input does.</summary>
internal static class BenchServer
{
    private static readonly TimeSpan _stopPatience = TimeSpan.FromMilliseconds(200); // by then no call of ours is under way

    public static async Task<int> RunAsync(BenchServerOptions options, CancellationToken cancellationToken)
    {
        using var lag = new LagRecorder();
        using var groups = MeasurementCounter.OfGroups();
        using var snapshots = MeasurementCounter.OfSnapshots();
        await using var bare = await EchoServers.StartBareAsync(cancellationToken);
        await using var echo = await EchoServers.StartGrpcAsync(cancellationToken);
        await using var gzip = await EchoServers.StartGzipAsync(cancellationToken);
        using var trip = RoundTripLimit.Serve(options.Advertised is null ? IPAddress.Loopback : IPAddress.Any);
        await using var nodes = await StartNodesAsync(options, cancellationToken);
        var at = (IPEndPoint)trip.LocalEndpoint;
        Answer(new ServerReady(AddressOf(bare), AddressOf(echo), AddressOf(gzip), options.Advertised ?? IPAddress.Loopback.ToString(), at.Port, nodes.Nodes));
        while (await Console.In.ReadLineAsync(cancellationToken) is { } command)
        {
            var words = command.Split(' ');
            switch (words[0])
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
                case ControlCommand.Snapshots:
                    Answer(snapshots.Count);
                    break;
                case ControlCommand.StopNode or ControlCommand.StartNode:
                    await nodes.SwitchAsync(int.Parse(words[1], CultureInfo.InvariantCulture), words[0] == ControlCommand.StartNode);
                    Answer(true);
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

    private static async Task<ServedNodes> StartNodesAsync(BenchServerOptions options, CancellationToken cancellationToken)
    {
        if (options.Data is not { } folder)
        {
            return ServedNodes.None;
        }

        if (options.Etcd is not null)
        {
            return await ServedNodes.StartAsync(options, Configure(options), cancellationToken);
        }

        var ports = FreePorts.Take(options.Regions.Count * 2); // so that a node finds its ports again
        var configure = Configure(options);
        NodeOptions WithPorts(NodeOptions node)
        {
            var index = options.Regions.Index().First(region => region.Item == node.Region).Index;
            return configure(node) with { GrpcPort = ports[index * 2], HttpPort = ports[(index * 2) + 1] };
        }

        var cluster = new LocalClusterOptions { DataFolder = folder, Regions = options.Regions, Configure = WithPorts };
        return ServedNodes.Of(await LocalCluster.StartAsync(cluster, TimeProvider.System, new Random(1), BenchLogging.Create(), cancellationToken));
    }

    private static Func<NodeOptions, NodeOptions> Configure(BenchServerOptions options) => node =>
    {
        node = node with { StopPatience = _stopPatience, GrainIdle = options.GrainIdle ?? node.GrainIdle };
        if (options.Snapshots && node.ColdStorage is { } cold)
        {
            node = node with { ColdStorage = cold with { Upload = cold.Upload with { MaxSegmentsPerSnapshot = 2 } } };
        }

        return options.KeepsLog // no checkpoint, so that the whole log stays behind its base
            ? node with { Primary = node.Primary with { CheckpointBytes = long.MaxValue / 4, RestartWalBytes = long.MaxValue / 4, IdleCheckpoint = TimeSpan.FromDays(1) } }
            : node;
    };

    private static Uri AddressOf(WebApplication app) => new(app.Urls.Single());

    private static void Answer<T>(T answer)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(answer));
        Console.Out.Flush();
    }
}
