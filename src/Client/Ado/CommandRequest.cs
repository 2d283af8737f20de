using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>What a command or a batch sends, whichever way.</summary>
/// <param name="Statements">In order.</param>
/// <param name="Script">The only statement's SQL holds several.</param>
/// <param name="MayWrite">False only if it surely reads.</param>
/// <param name="IsSingle">One statement of SQL: nothing follows its result.</param>
internal sealed record CommandRequest(Statement[] Statements, bool Script, bool MayWrite, bool IsSingle)
{
    private ExecuteRequest? _execute; // filled again by the next execution
    private TimeSpan? _timeout; // that is in it

    /// <summary>There is no SQL but comments.</summary>
    public bool IsEmpty { get; private init; }

    /// <summary>The request of a command. <paramref name="last"/>, of an execution that is over, is filled again if it is of the same SQL.</summary>
    public static CommandRequest Of(string sql, ReplicatedSqliteParameterCollection? parameters, CommandRequest? last = null)
    {
        var shape = SqlShape.Of(sql);
        if (last is not null && last.Statements[0].Sql == sql)
        {
            AddTo(last.Statements[0], shape, parameters);
            return last;
        }

        var script = shape.Statements.Count > 1;
        return new CommandRequest([MessageOf(sql, shape, parameters)], script, !shape.IsSurelyRead, !script) { IsEmpty = shape.Statements.Count == 0 };
    }

    public static Statement MessageOf(string sql, SqlShape shape, ReplicatedSqliteParameterCollection? parameters)
    {
        SqlValueWriter.CheckText(sql, "The SQL");
        var message = new Statement { Sql = sql };
        AddTo(message, shape, parameters);
        return message;
    }

    /// <summary>The request of one call outside a transaction.</summary>
    public ExecuteRequest ToExecute(SqlExecutor executor, TimeSpan? timeout, out CallNature nature)
    {
        var key = KeyFor(executor);
        nature = new CallNature(MayWrite, key.Length > 0);
        if (_execute is not { } request)
        {
            request = _execute = new ExecuteRequest { Script = Script, Timeout = QueryMessages.Duration(_timeout = timeout) };
            foreach (var statement in Statements) request.Statements.Add(statement);
        }

        if (timeout != _timeout) request.Timeout = QueryMessages.Duration(_timeout = timeout);
        request.Database = executor.DatabaseName;
        request.Read = QueryMessages.Read(executor.SessionToSend(), executor.Defaults.Read, request.Read);
        request.IdempotencyKey = key;
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

    private static void AddTo(Statement message, SqlShape shape, ReplicatedSqliteParameterCollection? parameters)
    {
        if (shape.Named.Length + shape.Positional > 0) (parameters ?? ReplicatedSqliteParameterCollection.None).AddTo(message, shape);
    }

    private string KeyFor(SqlExecutor executor) => MayWrite && executor.Defaults.IdempotentWrites ? CallDefaults.NewKey() : "";
}
