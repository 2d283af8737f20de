using System.CommandLine;
using ReplicatedSqlite.Node;

// Ctrl-C and SIGTERM cancel the command; it ends by itself, with everything closed. What has not ended by then would not end at all.
var patience = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) };
return await RunCommand.Create().Parse(args).InvokeAsync(patience);
