using ReplicatedSqlite.Simulation;
using Xunit.Runner.InProc.SystemConsole;

// `simulation ...` runs stories; everything else is for the test runner.
return args is ["simulation", .. var options] ? SimulationCommand.Run(options) : await ConsoleRunner.Run(args);
