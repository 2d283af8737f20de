using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>What a command or a batch sends, whichever way.</summary>
/// <param name="Statements">In order.</param>
/// <param name="Script">The only statement's SQL holds several.</param>
/// <param name="MayWrite">False only if it surely reads.</param>
/// <param name="IsSingle">One statement of SQL: nothing follows its result.</param>
internal readonly record struct CommandRequest(Statement[] Statements, bool Script, bool MayWrite, bool IsSingle)
{
    public static CommandRequest Of(string sql, ReplicatedSqliteParameterCollection? parameters)
    {
        var shape = SqlShape.Of(sql);
        var script = shape.Statements.Count > 1;
        return new CommandRequest([MessageOf(sql, shape, parameters)], script, !shape.IsSurelyRead, !script);
    }

    public static Statement MessageOf(string sql, SqlShape shape, ReplicatedSqliteParameterCollection? parameters)
    {
        SqlValueWriter.CheckText(sql, "The SQL");
        var message = new Statement { Sql = sql };
        parameters?.AddTo(message, shape);
        if (parameters is null && shape.Named.Length + shape.Positional > 0) ReplicatedSqliteParameterCollection.None.AddTo(message, shape);
        return message;
    }

    /// <summary>The request of one call outside a transaction.</summary>
    public ExecuteRequest ToExecute(SqlExecutor executor, TimeSpan? timeout, out CallNature nature)
    {
        var key = KeyFor(executor);
        nature = new CallNature(MayWrite, key.Length > 0);
        var request = new ExecuteRequest
        {
            Database = executor.DatabaseName,
            Script = Script,
            Read = QueryMessages.Read(executor.SessionToSend(), executor.Defaults.Read),
            IdempotencyKey = key,
            Timeout = QueryMessages.Duration(timeout),
        };
        foreach (var statement in Statements) request.Statements.Add(statement);
        return request;
    }

    /// <summary>The request of a call whose rows are streamed.</summary>
    public StreamRequest ToStream(SqlExecutor executor, TimeSpan? timeout, out CallNature nature)
    {
        var key = KeyFor(executor);
        nature = new CallNature(MayWrite, key.Length > 0);
        var request = new StreamRequest
        {
            Database = executor.DatabaseName,
            Script = Script,
            Read = QueryMessages.Read(executor.SessionToSend(), executor.Defaults.Read),
            IdempotencyKey = key,
            Timeout = QueryMessages.Duration(timeout),
        };
        foreach (var statement in Statements) request.Statements.Add(statement);
        return request;
    }

    private string KeyFor(SqlExecutor executor) => MayWrite && executor.Defaults.IdempotentWrites ? CallDefaults.NewKey() : "";
}
