using ReplicatedSqlite.EndToEnd;
using Xunit.Runner.InProc.SystemConsole;

// `chaos ...` tells stories of real processes, `cut-off` the one of a region on its own, `measure ...` takes figures; everything else is for the test runner.
return args switch
{
    ["chaos", .. var options] => await ChaosCommand.RunAsync(options),
    ["cut-off"] => await RegionCutCommand.RunAsync(),
    ["measure", .. var options] => await MeasureCommand.RunAsync(options),
    _ => await ConsoleRunner.Run(args),
};
