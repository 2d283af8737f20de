using ReplicatedSqlite.Cli;

return await new RsqlCommand(Terminal.OfProcess(), Environment.GetEnvironmentVariable).RunAsync(args);
