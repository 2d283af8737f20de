using System.CommandLine;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The command line.</summary>
internal static class BenchCommand
{
    private static readonly BenchOptions _defaults = new() { Scenario = "" };

    public static RootCommand Create()
    {
        var root = new RootCommand("Measures the database as its users meet it. Each scenario checks its answers; a wrong one ends the run with code 1.");
        foreach (var (name, what) in Scenario.All)
        {
            root.Subcommands.Add(CreateScenario(name, what, [name]));
        }

        root.Subcommands.Add(CreateScenario("all", "All of them, one after the other.", [.. Scenario.All.Select(scenario => scenario.Name)]));

        root.Subcommands.Add(CreateServer());
        root.Subcommands.Add(CreateDisk());
        return root;
    }

    private static Command CreateScenario(string name, string what, IReadOnlyList<string> scenarios)
    {
        var rate = Number("--rate", "Calls per second of an open loop.", _defaults.Rate, least: 1);
        var seconds = Seconds("--seconds", "Measured time of each series, divided over the rounds.", _defaults.Duration);
        var warmup = Seconds("--warmup", "Time before the first measurement.", _defaults.Warmup);
        var rounds = Number("--rounds", "Times that the series take turns.", _defaults.Rounds, least: 1);
        var callers = Number("--callers", "Callers at once.", _defaults.Callers, least: 1);
        callers.Aliases.Add("--sessions");
        var followers = new Option<string>("--followers") { Description = "Of the database that is written; 1,3 compares two.", DefaultValueFactory = _ => string.Join(',', _defaults.Followers) };
        var quorum = Number("--quorum", "Of the followers; 0 is the smallest majority.", _defaults.Quorum, least: 0);
        var batch = Number("--batch", "Rows of a call of the series with batches.", _defaults.Batch, least: 1);
        var entries = Number("--entries", "Log entries that a recovery finds behind its base.", _defaults.Entries, least: 1);
        var rows = Number("--rows", "Rows that a scenario streams.", _defaults.Rows, least: 1);
        var seed = Number("--seed", "Of keys and values.", _defaults.Seed, least: 0);
        var regions = new Option<string>("--regions") { Description = "The primary's first, at least two.", DefaultValueFactory = _ => string.Join(',', _defaults.Regions) };
        var json = new Option<string?>("--json") { Description = "Writes the results to this file; of 'all', one a scenario, its name added." };
        var commit = new Option<string>("--commit") { Description = "Named in the results.", DefaultValueFactory = _ => _defaults.Commit };
        var quick = new Option<bool>("--quick") { Description = "A second or two, to see that it works." };
        regions.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>().Split(',').Length < 2)
            {
                result.AddError("--regions names one region; at least two are wanted, the primary's first, e.g. enam,weur,apac.");
            }
        });

        followers.Validators.Add(result =>
        {
            if (!result.GetValueOrDefault<string>().Split(',').All(static count => count is "1" or "3" or "5"))
            {
                result.AddError($"--followers is {result.GetValueOrDefault<string>()}; 1, 3 or 5 is wanted, or several, e.g. 1,3.");
            }
        });

        var command = new Command(name, what) { rate, seconds, warmup, rounds, callers, followers, quorum, batch, entries, rows, seed, regions, json, commit, quick };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new BenchOptions
            {
                Scenario = name,
                Rate = parsed.GetValue(rate),
                Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                Warmup = TimeSpan.FromSeconds(parsed.GetValue(warmup)),
                Rounds = parsed.GetValue(rounds),
                Callers = parsed.GetValue(callers),
                Followers = [.. parsed.GetValue(followers)!.Split(',').Select(int.Parse)],
                Quorum = parsed.GetValue(quorum),
                Batch = parsed.GetValue(batch),
                Entries = parsed.GetValue(entries),
                Rows = parsed.GetValue(rows),
                Seed = parsed.GetValue(seed),
                Regions = parsed.GetValue(regions)!.Split(','),
                JsonFile = parsed.GetValue(json),
                Commit = parsed.GetValue(commit)!,
            };
            options = parsed.GetValue(quick) ? options.Quick() : options;
            foreach (var scenario in scenarios)
            {
                var file = scenarios.Count > 1 && options.JsonFile is not null ? Path.ChangeExtension(options.JsonFile, $".{scenario}.json") : options.JsonFile;
                var code = await BenchRun.RunAsync(options with { Scenario = scenario, JsonFile = file }, Console.Out, Console.Error, cancellationToken);
                if (code != 0)
                {
                    return code;
                }
            }

            return 0;
        });
        return command;
    }

    private static Command CreateServer()
    {
        var data = new Option<string?>("--data") { Description = "Folder of a local cluster; without it only the echo servers run." };
        var regions = new Option<string>("--regions") { Description = "Of the local cluster.", DefaultValueFactory = _ => "" };
        var keepsLog = new Option<bool>("--keeps-log") { Description = "Primaries make no checkpoint." };
        var command = new Command("server", "The servers that a scenario calls, told what to do line by line on standard input.") { data, regions, keepsLog };
        command.Hidden = true;
        command.SetAction((parsed, cancellationToken) =>
            BenchServer.RunAsync(parsed.GetValue(data), parsed.GetValue(regions)!.Split(',', StringSplitOptions.RemoveEmptyEntries), parsed.GetValue(keepsLog), cancellationToken));
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

    private static Option<int> Number(string name, string what, int usual, int least)
    {
        var option = new Option<int>(name) { Description = what, DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < least)
            {
                result.AddError($"{name} is {result.GetValueOrDefault<int>()}; at least {least} is wanted.");
            }
        });
        return option;
    }

    private static Option<double> Seconds(string name, string what, TimeSpan usual)
    {
        var option = new Option<double>(name) { Description = what + " In seconds.", DefaultValueFactory = _ => usual.TotalSeconds };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0 and <= 86_400))
            {
                result.AddError($"{name} is {result.GetValueOrDefault<double>()}; 0 to 86400 seconds are wanted.");
            }
        });
        return option;
    }
}
