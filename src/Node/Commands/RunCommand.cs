using System.CommandLine;
using System.Globalization;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary>The command line of <c>./run</c>: starts a local cluster and runs until it is told to stop.</summary>
internal static class RunCommand
{
    public static RootCommand Create(StopSignals signals)
    {
        var regions = new Option<string>("--regions") { Description = "Regions, one node each, joined by commas.", DefaultValueFactory = _ => "enam,weur,apac" };
        var data = new Option<string>("--data") { Description = "Folder for everything that is kept.", DefaultValueFactory = _ => "./data" };
        var grpcPort = new Option<int>("--grpc-port") { Description = "gRPC port of the first region; the others follow.", DefaultValueFactory = _ => 7101 };
        var httpPort = new Option<int>("--http-port") { Description = "HTTP port of the first region; the others follow.", DefaultValueFactory = _ => 7201 };
        var delay = new Option<string[]>("--delay") { Description = "Hold back what a region's replica receives, e.g. apac=300ms. May be repeated.", DefaultValueFactory = _ => [] };
        var verbose = new Option<bool>("--verbose") { Description = "Log what the nodes do, to standard error." };
        var unfixed = new Option<bool>("--allow-unfixed-sqlite") { Description = "Run with a SQLite that has the WAL-reset race. Not for data that matters." };

        var log = new Option<LogFormat>("--log") { Description = "How the log is written: text, or json, one object a line." };
        var slow = new Option<int>("--slow-statement") { Description = "Log requests that take so many milliseconds or more. 0: none.", DefaultValueFactory = _ => 1000 };

        var root = new RootCommand("ReplicatedSqlite: a local cluster of several regions in one process.") { regions, data, grpcPort, httpPort, delay, verbose, log, slow, unfixed };
        root.Subcommands.Add(DemoCommand.Create());
        root.Subcommands.Add(NodeCommand.Create(signals));
        root.SetAction((parsed, cancellation) => RunAsync(
            () => new LocalClusterOptions
            {
                Regions = parsed.GetValue(regions)!.Split(',', StringSplitOptions.TrimEntries),
                DataFolder = parsed.GetValue(data)!,
                GrpcPort = Port(parsed.GetValue(grpcPort), "--grpc-port"),
                HttpPort = Port(parsed.GetValue(httpPort), "--http-port"),
                Delays = Delays.Parse(parsed.GetValue(delay)!),
                Configure = node => node with { AllowUnfixedSqlite = parsed.GetValue(unfixed), Router = node.Router with { SlowStatement = Threshold(parsed.GetValue(slow)) } },
            },
            parsed.GetValue(verbose),
            parsed.GetValue(log),
            cancellation));
        return root;
    }

    /// <summary>The logs of all nodes, on standard error.</summary>
    public static ILoggerFactory Logging(bool verbose, LogFormat format = LogFormat.Text) => Logging(verbose ? LogLevel.Information : LogLevel.Warning, format);

    /// <summary>The log, on standard error.</summary>
    public static ILoggerFactory Logging(LogLevel from, LogFormat format = LogFormat.Text) => NodeLogging.Create(from, format);

    /// <summary>Whether an error's own text tells the operator what to do.</summary>
    public static bool IsExplained(Exception e) =>
        e is InvalidOperationException or NotSupportedException or Journal.JournalException or SqliteException or IOException or UnauthorizedAccessException;

    /// <summary>An error of the start in words for the operator.</summary>
    public static string Explain(Exception e) => e switch
    {
        // Databases open with their first request; until then the control plane's file is the only one that SQLite opens.
        SqliteException => $"control.sqlite in the data folder cannot be used: {e.Message}. Bring it back from a backup, or use an empty folder.",
        _ => e.Message,
    };

    private static TimeSpan? Threshold(int milliseconds) => milliseconds switch
    {
        0 => null,
        > 0 => TimeSpan.FromMilliseconds(milliseconds),
        _ => throw new InvalidOperationException($"--slow-statement is {milliseconds}; milliseconds are wanted, or 0 for no such log."),
    };

    private static int Port(int port, string option) => port is >= 0 and <= ushort.MaxValue - 100
        ? port // with room for the other regions
        : throw new InvalidOperationException($"{option} is {port}; a number from 1 to {ushort.MaxValue - 100} is wanted, or 0 for any free port.");

    private static async Task<int> RunAsync(Func<LocalClusterOptions> read, bool verbose, LogFormat log, CancellationToken cancellationToken)
    {
        using var logging = Logging(verbose, log);
        LocalCluster cluster;
        try
        {
            cluster = await LocalCluster.StartAsync(read(), TimeProvider.System, new Random(), logging, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Console.WriteLine("stopped");
            return 0;
        }
        catch (Exception e) when (IsExplained(e))
        {
            await Console.Error.WriteLineAsync($"run: {Explain(e)}");
            return 1;
        }

        await using (cluster)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ReplicatedSqlite {NodeHost.Version}, SQLite {SqliteVersionGate.Version}"));
            foreach (var node in cluster.Nodes)
            {
                Console.WriteLine($"{node.Region,-8} gRPC {node.GrpcAddress.Authority}  HTTP {node.HttpAddress.Authority}");
            }

            Console.WriteLine("ready");
            await UntilCancelledAsync(cancellationToken);
            Console.WriteLine("stopping");
        }

        Console.WriteLine("stopped");
        return 0;
    }

    /// <summary>Waits for a signal.</summary>
    public static async Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cancelled = cancellationToken.Register(() => stop.TrySetResult());
        await stop.Task;
    }
}
