using System.CommandLine;
using System.Globalization;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary><c>./run node</c>: one node as a process of its own.</summary>
internal static class NodeCommand
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    public static Command Create(StopSignals signals)
    {
        var config = new Option<string?>("--config")
        {
            Description = $"The configuration file, JSON. Also by {EnvironmentSettings.ConfigVariable}. Options win over variables, variables over the file; docs/configuration.md has all settings.",
        };
        var check = new Option<bool>("--check") { Description = "Check the configuration, print what the node would run with, and end." };
        var options = NodeSettings.All.Where(static setting => !setting.IsSecret).ToDictionary( // anybody on the machine can read a command line
            static setting => setting,
            static setting => new Option<string?>(setting.Option) { Description = $"{char.ToUpperInvariant(setting.Meaning[0])}{setting.Meaning[1..]}." });
        var command = new Command("node", "One node as a process of its own, in a cluster that etcd coordinates, or alone.") { config, check };
        foreach (var option in options.Values)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellationToken) =>
        {
            var set = options
                .Where(pair => parsed.GetResult(pair.Value) is { Implicit: false })
                .Select(pair => new SettingText(pair.Key.Key, parsed.GetValue(pair.Value) ?? "", pair.Key.Option));
            var file = parsed.GetValue(config) ?? Environment.GetEnvironmentVariable(EnvironmentSettings.ConfigVariable);
            if (NodeConfiguration.Read(file, Environment.GetEnvironmentVariables(), set, out var faults) is not { } configuration)
            {
                await TellAsync(faults);
                return 1;
            }

            signals.Patience += configuration.Node.HandOverPatience + configuration.Node.StopPatience;
            return parsed.GetValue(check) ? Show(configuration) : await RunAsync(configuration, cancellationToken);
        });
        return command;
    }

    private static async Task TellAsync(IReadOnlyList<SettingFault> faults)
    {
        await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"run: the configuration has {faults.Count} {(faults.Count == 1 ? "fault" : "faults")}:"));
        foreach (var fault in faults)
        {
            await Console.Error.WriteLineAsync($"  {fault.Text}");
        }
    }

    private static int Show(NodeConfiguration configuration)
    {
        foreach (var (key, text, source) in configuration.Effective)
        {
            Console.WriteLine($"{key,-30} {text,-36} {source}");
        }

        return 0;
    }

    private static async Task<int> RunAsync(NodeConfiguration configuration, CancellationToken cancellationToken)
    {
        using var logging = RunCommand.Logging(configuration.LogLevel, configuration.LogFormat);
        NodeHost node;
        try
        {
            node = await NodeHost.StartAsync(
                configuration.Node, cancellation => ConnectAsync(configuration, logging, cancellation), TimeProvider.System, new Random(), logging, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.WriteLine("stopped");
            return 0;
        }
        catch (Exception e) when (RunCommand.IsExplained(e))
        {
            await Console.Error.WriteLineAsync($"run: {RunCommand.Explain(e)}");
            return 1;
        }

        await using (node)
        {
            Console.WriteLine($"ReplicatedSqlite {NodeHost.Version}, SQLite {SqliteVersionGate.Version}");
            Console.WriteLine($"{node.Record.Region,-8} gRPC {node.Record.GrpcAddress.Authority}  HTTP {node.Record.HttpAddress.Authority}  node {node.Record.Id}");
            Console.WriteLine("ready");
            await RunCommand.UntilCancelledAsync(cancellationToken);
            Console.WriteLine("stopping");
        }

        Console.WriteLine("stopped");
        return 0;
    }

    // The node comes up before etcd does, if need be: a machine that starts after a power failure starts everything at once.
    private static async Task<IControlPlane> ConnectAsync(NodeConfiguration configuration, ILoggerFactory logging, CancellationToken cancellationToken)
    {
        if (configuration.Etcd is not { } etcd)
        {
            return EmbeddedControlPlane.Open(configuration.ControlFile, new Random());
        }

        var logger = logging.CreateLogger("ReplicatedSqlite.Node");
        for (var pause = _firstPause; ; pause = pause * 2 < _longestPause ? pause * 2 : _longestPause)
        {
            try
            {
                return await EtcdControlPlane.ConnectAsync(etcd, TimeProvider.System, new Random(), logging.CreateLogger("ReplicatedSqlite.Etcd"), cancellationToken);
            }
            catch (ControlPlaneAwayException away)
            {
                NodeLog.ControlPlaneAway(logger, away.Message, pause);
            }

            await Task.Delay(pause, TimeProvider.System, cancellationToken);
        }
    }
}
