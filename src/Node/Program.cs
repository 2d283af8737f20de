using ReplicatedSqlite.Node;

return await RunCommand.Create().Parse(args).InvokeAsync();
