using System.CommandLine;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Node;

/// <summary><c>./run demo</c>: a cluster of its own, a small shop in it, and what sessions do for the shop's customers.</summary>
internal static class DemoCommand
{
    private const int Interrupted = 130; // as a shell reports Ctrl-C
    private static readonly TimeSpan _defaultDelay = TimeSpan.FromMilliseconds(300);

    public static Command Create()
    {
        var sql = new Option<string?>("--sql") { Description = "A file of SQL, or what sqlite3's .dump wrote, to load instead of the small shop.", HelpName = "FILE" };
        var regions = new Option<string>("--regions") { Description = "Two regions or more, one node each, joined by commas.", DefaultValueFactory = _ => "enam,weur,apac" };
        var delay = new Option<string[]>("--delay")
        {
            Description = "Hold back what a region's replica receives. May be repeated. Default: the last region, by 300 ms.",
            HelpName = "REGION=300ms",
            DefaultValueFactory = _ => [],
        };
        var data = new Option<string?>("--data") { Description = "Folder to keep everything in. Default: a temporary one, removed at the end.", HelpName = "FOLDER" };
        var verbose = new Option<bool>("--verbose") { Description = "Log what the nodes do, to standard error." };

        var command = new Command("demo", "Loads a small shop into a cluster of its own and shows what sessions and bookmarks do.") { sql, regions, delay, data, verbose };
        command.SetAction((parsed, cancellation) => RunAsync(
            folder =>
            {
                var names = parsed.GetValue(regions)!.Split(',', StringSplitOptions.TrimEntries);
                return new LocalClusterOptions
                {
                    Regions = names.Length > 1 ? names : throw new InvalidOperationException("One region has nothing to replicate to: --regions takes two or more."),
                    DataFolder = folder,
                    Delays = parsed.GetValue(delay) is { Length: > 0 } texts ? Delays.Parse(texts) : new Dictionary<string, TimeSpan> { [names[^1]] = _defaultDelay },
                };
            },
            parsed.GetValue(sql),
            parsed.GetValue(data),
            parsed.GetValue(verbose),
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        Func<string, LocalClusterOptions> read, string? sqlFile, string? dataFolder, bool verbose, CancellationToken cancellationToken)
    {
        if (sqlFile is not null && !File.Exists(sqlFile))
        {
            await Console.Error.WriteLineAsync($"demo: there is no file '{sqlFile}'.");
            return 1;
        }

        var folder = dataFolder ?? Directory.CreateTempSubdirectory("replicatedsqlite-demo-").FullName;
        try
        {
            using var logging = RunCommand.Logging(verbose);
            var options = read(folder);
            await using var cluster = await LocalCluster.StartAsync(options, TimeProvider.System, new Random(), logging, cancellationToken);
            await using var stage = new DemoStage(cluster.Nodes, options.Delays);
            var story = new DemoStory(stage, sqlFile, Console.Out, Console.Error, TimeProvider.System);
            var succeeded = await story.TellAsync(cancellationToken);
            if (succeeded && dataFolder is not null)
            {
                Console.WriteLine($"Everything is kept: ./run --data {dataFolder} --regions {string.Join(',', options.Regions)}, then ./rsql {stage.DatabaseName}");
            }

            return succeeded ? 0 : 1;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("demo: stopped");
            return Interrupted;
        }
        catch (Exception e) when (e is ReplicatedSqliteException || RunCommand.IsExplained(e))
        {
            await Console.Error.WriteLineAsync($"demo: {RunCommand.Explain(e)}");
            return 1;
        }
        finally
        {
            if (dataFolder is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }
}
