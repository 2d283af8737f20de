using System.CommandLine;
using ReplicatedSqlite.Node;

SharedBuffers.KeepMore();
using var signals = new StopSignals();
return await RunCommand.Create(signals).Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, signals.Token);
