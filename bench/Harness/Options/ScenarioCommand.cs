using System.CommandLine;

namespace ReplicatedSqlite.Bench.Harness;

/// <summary>The command that runs scenarios, and its options.</summary>
internal sealed class ScenarioCommand
{
    private static readonly BenchOptions _defaults = new() { Scenario = "" };

    private readonly Option<int> _rate = Number("--rate", "Calls per second of an open loop.", _defaults.Rate, least: 1);
    private readonly Option<bool> _open = new("--open-loop") { Description = "Calls begin at --rate, also where a closed loop is usual; latency counts from the intended start." };
    private readonly Option<double> _seconds = Seconds("--seconds", "Measured time of each series, divided over the rounds.", _defaults.Duration);
    private readonly Option<double> _warmup = Seconds("--warmup", "Time before the first measurement.", _defaults.Warmup);
    private readonly Option<double> _limits = Seconds("--limit-seconds", "Time of each measurement of a limit, before and after.", _defaults.LimitTime);
    private readonly Option<int> _rounds = Number("--rounds", "Times that the series take turns.", _defaults.Rounds, least: 1);
    private readonly Option<string> _callers = List("--callers", "Callers at once; several numbers are compared, the last is that of scenarios with one.", _defaults.Concurrency, least: 1);
    private readonly Option<string> _followers = List("--followers", "Of the database that is written; 1,3 compares two.", _defaults.Followers, least: 1);
    private readonly Option<int> _quorum = Number("--quorum", "Of the followers; 0 is the smallest majority.", _defaults.Quorum, least: 0);
    private readonly Option<int> _batch = Number("--batch", "Rows of a call of the series with batches.", _defaults.Batch, least: 1);
    private readonly Option<int> _value = Number("--value", "Bytes of a value that is written.", _defaults.ValueBytes, least: 1);
    private readonly Option<int> _databaseRows = Number("--database-rows", "Rows that are there before reads are measured.", _defaults.DatabaseRows, least: 1);
    private readonly Option<int> _databases = Number("--databases", "Databases of a scenario that has many.", _defaults.Databases, least: 2);
    private readonly Option<string> _replicas = List("--replicas", "Numbers of replicas that are compared.", _defaults.Replicas, least: 1);
    private readonly Option<int> _entries = Number("--entries", "Log entries that a recovery finds behind its base, and one-row writes that a replica catches up with.", _defaults.Entries, least: 1);
    private readonly Option<int> _rows = Number("--rows", "Rows that a scenario streams.", _defaults.Rows, least: 1);
    private readonly Option<int> _seed = Number("--seed", "Of keys and values.", _defaults.Seed, least: 0);
    private readonly Option<string> _regions = new("--regions") { Description = "The primary's first, at least two.", DefaultValueFactory = _ => string.Join(',', _defaults.Regions) };
    private readonly Option<string?> _matrix = new("--matrix") { Description = "Runs the nodes in simulated regions with these round trips; the script 'regions' lies beside the file. Needs root and etcd." };
    private readonly Option<bool> _apart = new("--apart") { Description = "Each node is a process of its own, coordinated by etcd." };
    private readonly Option<string> _peers = new("--peers") { Description = $"Systems measured in the same run, or 'all': {string.Join(", ", PeerSet.Names)}. One that is not installed is left out with a word.", DefaultValueFactory = _ => "" };
    private readonly Option<string?> _only = new("--only") { Description = "Runs only the series whose names contain this, as for a profile." };
    private readonly Option<string?> _json = new("--json") { Description = "Writes the results to this file; of 'all', one a scenario, its name added." };
    private readonly Option<string> _commit = new("--commit") { Description = "Named in the results.", DefaultValueFactory = _ => _defaults.Commit };
    private readonly Option<bool> _quick = new("--quick") { Description = "A second or two, to see that it works." };

    /// <summary>A command that runs some scenarios, one after the other.</summary>
    public static Command Create(string name, string what, IReadOnlyList<string> scenarios)
    {
        var own = new ScenarioCommand();
        own.Validate();
        var command = new Command(name, what)
        {
            own._rate, own._open, own._seconds, own._warmup, own._limits, own._rounds, own._callers, own._followers, own._quorum, own._batch, own._value, own._databaseRows, own._databases,
            own._replicas, own._entries, own._rows, own._seed, own._regions, own._matrix, own._apart, own._peers, own._only, own._json, own._commit, own._quick,
        };
        command.SetAction((parsed, cancellationToken) => own.RunAsync(parsed, scenarios, cancellationToken));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, IReadOnlyList<string> scenarios, CancellationToken cancellationToken)
    {
        var options = Read(parsed);
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
    }

    private BenchOptions Read(ParseResult parsed)
    {
        var options = new BenchOptions
        {
            Scenario = "",
            Rate = parsed.GetValue(_rate),
            IsOpenLoop = parsed.GetValue(_open),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(_seconds)),
            Warmup = TimeSpan.FromSeconds(parsed.GetValue(_warmup)),
            LimitTime = TimeSpan.FromSeconds(parsed.GetValue(_limits)),
            Rounds = parsed.GetValue(_rounds),
            Concurrency = Numbers(parsed.GetValue(_callers)!),
            Followers = Numbers(parsed.GetValue(_followers)!),
            Quorum = parsed.GetValue(_quorum),
            Batch = parsed.GetValue(_batch),
            ValueBytes = parsed.GetValue(_value),
            DatabaseRows = parsed.GetValue(_databaseRows),
            Databases = parsed.GetValue(_databases),
            Replicas = Numbers(parsed.GetValue(_replicas)!),
            Entries = parsed.GetValue(_entries),
            Rows = parsed.GetValue(_rows),
            Seed = parsed.GetValue(_seed),
            Regions = parsed.GetValue(_regions)!.Split(','),
            Matrix = parsed.GetValue(_matrix),
            IsApart = parsed.GetValue(_apart),
            Peers = parsed.GetValue(_peers) is "all" ? PeerSet.Names : parsed.GetValue(_peers)!.Split(',', StringSplitOptions.RemoveEmptyEntries),
            Only = parsed.GetValue(_only),
            JsonFile = parsed.GetValue(_json),
            Commit = parsed.GetValue(_commit)!,
        };
        return parsed.GetValue(_quick) ? options.Quick() : options;
    }

    private void Validate()
    {
        _callers.Aliases.Add("--sessions");
        _regions.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<string>().Split(',').Length < 2)
            {
                result.AddError("--regions names one region; at least two are wanted, the primary's first, e.g. enam,weur,apac.");
            }
        });
        _peers.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<string>() is not "all" and var named && named.Split(',', StringSplitOptions.RemoveEmptyEntries).Except(PeerSet.Names).FirstOrDefault() is { } unknown)
            {
                result.AddError($"--peers names '{unknown}'; there are {string.Join(", ", PeerSet.Names)}, or all.");
            }
        });
        _followers.Validators.Add(static result =>
        {
            if (!result.GetValueOrDefault<string>().Split(',').All(static count => count is "1" or "3" or "5"))
            {
                result.AddError($"--followers is {result.GetValueOrDefault<string>()}; 1, 3 or 5 is wanted, or several, e.g. 1,3.");
            }
        });
    }

    private static int[] Numbers(string text) => [.. text.Split(',').Select(int.Parse)];

    private static Option<string> List(string name, string what, IReadOnlyList<int> usual, int least)
    {
        var option = new Option<string>(name) { Description = what, DefaultValueFactory = _ => string.Join(',', usual) };
        option.Validators.Add(result =>
        {
            if (!result.GetValueOrDefault<string>().Split(',').All(text => int.TryParse(text, out var number) && number >= least))
            {
                result.AddError($"{name} is {result.GetValueOrDefault<string>()}; numbers from {least} are wanted, several joined by commas.");
            }
        });
        return option;
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
