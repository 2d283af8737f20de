using System.CommandLine;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The command line.</summary>
internal static class BenchCommand
{
    public static RootCommand Create()
    {
        var root = new RootCommand("Measures the database as its users meet it. Each scenario checks its answers; a wrong one ends the run with code 1.");
        foreach (var (name, what) in Scenario.All)
        {
            root.Subcommands.Add(ScenarioCommand.Create(name, what, [name]));
        }

        root.Subcommands.Add(ScenarioCommand.Create("all", "All of them, one after the other.", [.. Scenario.All.Select(scenario => scenario.Name)]));
        root.Subcommands.Add(CreateReport());
        root.Subcommands.Add(CreateServer());
        root.Subcommands.Add(CreateDisk());
        return root;
    }

    private static Command CreateReport()
    {
        var files = new Argument<string[]>("files") { Description = "Results, as --json writes them.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string>("--out") { Description = "The page; its plots go into 'plots' beside it.", DefaultValueFactory = _ => "RESULTS.md" };
        var texts = new Option<string>("--texts") { Description = "Folder of what is said about each file, as NAME.md.", DefaultValueFactory = _ => "." };
        var commit = new Option<string>("--commit") { Description = "Not used: results have their own.", Hidden = true };
        var command = new Command("report", "Joins results into one page with plots.") { files, output, texts, commit };
        command.SetAction(async (parsed, _) =>
        {
            try
            {
                await ReportWriter.WriteAsync(parsed.GetValue(files)!, parsed.GetValue(output)!, parsed.GetValue(texts)!);
                return 0;
            }
            catch (Exception e) when (e is BenchException or IOException)
            {
                await Console.Error.WriteLineAsync($"report: {e.Message}");
                return 1;
            }
        });
        return command;
    }

    private static Command CreateServer()
    {
        var data = new Option<string?>("--data") { Description = "Folder of a local cluster; without it only the echo servers run." };
        var regions = new Option<string>("--regions") { Description = "Of the local cluster.", DefaultValueFactory = _ => "" };
        var keepsLog = new Option<bool>("--keeps-log") { Description = "Primaries make no checkpoint." };
        var snapshots = new Option<bool>("--snapshots") { Description = "Another snapshot is due soon after the last." };
        var etcd = new Option<string?>("--etcd") { Description = "Coordinates the nodes with those of other processes." };
        var advertise = new Option<string?>("--advertise") { Description = "By which others reach the nodes." };
        var replicasOnly = new Option<bool>("--replicas-only") { Description = "The nodes lead nothing and keep no log durable." };
        var idle = new Option<double?>("--idle") { Description = "Seconds until an unused database leaves memory." };
        var command = new Command("server", "The servers that a scenario calls, told what to do line by line on standard input.") { data, regions, keepsLog, snapshots, etcd, advertise, replicasOnly, idle };
        command.Hidden = true;
        command.SetAction((parsed, cancellationToken) => BenchServer.RunAsync(
            new BenchServerOptions(
                parsed.GetValue(data),
                parsed.GetValue(regions)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
                parsed.GetValue(keepsLog),
                parsed.GetValue(snapshots),
                parsed.GetValue(etcd) is { } address ? new Uri(address) : null,
                parsed.GetValue(advertise),
                parsed.GetValue(replicasOnly),
                parsed.GetValue(idle) is { } seconds ? TimeSpan.FromSeconds(seconds) : null),
            cancellationToken));
        return command;
    }

    private static Command CreateDisk()
    {
        var folder = new Option<string>("--folder") { Required = true };
        var command = new Command("disk", "Appends and syncs, told on standard input for how many seconds.") { folder };
        command.Hidden = true;
        command.SetAction(parsed => DiskProcess.Serve(parsed.GetValue(folder)!, Console.In, Console.Out));
        return command;
    }
}
