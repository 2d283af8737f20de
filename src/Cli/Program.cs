using ReplicatedSqlite.Cli;

using var interrupts = new Interrupts(listens: true);
return await new RsqlCommand(Terminal.OfProcess(), Environment.GetEnvironmentVariable, interrupts).RunAsync(args, interrupts.Token);
