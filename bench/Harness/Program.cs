using System.CommandLine;
using ReplicatedSqlite.Bench.Harness;

IScenario[] scenarios = [new ConfirmLagScenario(), new EchoScenario(), new ReadsScenario(), new WritesScenario()];

var scenario = new Argument<string>("scenario") { Description = $"{string.Join(", ", scenarios.Select(s => s.Name))}, or all." };
var seconds = new Option<double>("--seconds") { Description = "Measured time of each scenario's part.", DefaultValueFactory = _ => 20 };
var warmUp = new Option<double>("--warmup") { Description = "Seconds before that.", DefaultValueFactory = _ => 10 };
var rate = new Option<int>("--rate") { Description = "Writes a second of an open loop.", DefaultValueFactory = _ => 1000 };
var callers = new Option<int>("--callers") { Description = "Callers of a closed loop.", DefaultValueFactory = _ => 64 };
var rounds = new Option<int>("--rounds") { Description = "Alternations of what is compared.", DefaultValueFactory = _ => 5 };
var regions = new Option<string>("--regions") { Description = "The first one holds the primary.", DefaultValueFactory = _ => "enam,weur,apac" };
var seed = new Option<int>("--seed") { Description = "Of everything random.", DefaultValueFactory = _ => 1 };
var json = new Option<string?>("--json") { Description = "Write the results to this file; with several scenarios their names are added." };
var quick = new Option<bool>("--quick") { Description = "A second or two of everything: to see that it works, not to measure." };
var commit = new Option<string>("--commit") { DefaultValueFactory = _ => "unknown", Hidden = true };
var root = new RootCommand("Measures ReplicatedSqlite. The measured cluster is a process of its own.") { scenario, seconds, warmUp, rate, callers, rounds, regions, seed, json, quick, commit };
root.SetAction(async parsed =>
{
    var isQuick = parsed.GetValue(quick);
    var options = new RunOptions
    {
        Duration = TimeSpan.FromSeconds(isQuick ? 1 : parsed.GetValue(seconds)),
        WarmUp = TimeSpan.FromSeconds(isQuick ? 0.2 : parsed.GetValue(warmUp)),
        Rate = isQuick ? 200 : parsed.GetValue(rate),
        Callers = isQuick ? 4 : parsed.GetValue(callers),
        Rounds = isQuick ? 1 : parsed.GetValue(rounds),
        Regions = parsed.GetValue(regions)!,
        Seed = parsed.GetValue(seed),
    };
    var wanted = parsed.GetValue(scenario)!;
    var chosen = scenarios.Where(s => wanted == "all" || s.Name == wanted).ToList();
    if (chosen.Count == 0)
    {
        await Console.Error.WriteLineAsync($"There is no scenario '{wanted}': {string.Join(", ", scenarios.Select(s => s.Name))}, or all.");
        return 2;
    }

    foreach (var one in chosen)
    {
        var results = new List<Result>();
        var notes = new List<string>();
        await using (var server = await ServerProcess.StartAsync(options.Regions))
        {
            try
            {
                await one.RunAsync(server, options, results, notes);
            }
            catch (WrongAnswerException wrong)
            {
                await Console.Error.WriteLineAsync($"{one.Name}: WRONG ANSWER: {wrong.Message}");
                return 1;
            }
        }

        ReportWriter.Print(one.Name, results, notes);
        if (parsed.GetValue(json) is { } file)
        {
            var named = chosen.Count == 1 ? file : Path.ChangeExtension(file, $".{one.Name}.json");
            ReportWriter.Write(named, one.Name, parsed.GetValue(commit)!, results, notes);
        }
    }

    return 0;
});

var data = new Option<string>("--data") { Required = true };
var server = new Command("server", "The measured process.") { data, regions };
server.Hidden = true;
server.SetAction(parsed => BenchServer.RunAsync(parsed.GetValue(data)!, parsed.GetValue(regions)!));
root.Subcommands.Add(server);
return await root.Parse(args).InvokeAsync();
