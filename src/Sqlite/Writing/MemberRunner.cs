using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Runs one request's statements on the writer, in a transaction that somebody else has opened.</summary>
/// <param name="connection">The writer.</param>
/// <param name="eachStatement">Brackets each statement, so that one that fails is undone alone; <see langword="null"/> if the caller undoes them all.</param>
internal sealed unsafe class MemberRunner(QueryConnection connection, WriterSql? eachStatement = null)
{
    private readonly StatementRunner _runner = connection.Runner;
    private readonly ForeignKeySwitch _foreignKeys = new(connection);

    /// <summary>The metas of a member that stays get the size at the end of the group.</summary>
    public List<Meta> Metas { get; } = [];

    /// <summary>Runs all statements.</summary>
    /// <exception cref="RequestException">One failed. What was done before it is still there.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public void Run(SqlRequest request, MemberOutcome outcome)
    {
        RequestShape.Check(request);
        _runner.Begin(request.MaxResultBytes);
        var results = request.AsParts ? null : new List<Result>(request.Statements.Count);
        connection.Authorizer.TakeForeignKeys(); // what a transaction or an import before this said is not for this request
        var parts = request.AsParts ? new List<ResultPart>() : null;
        outcome.UnfinishedParts = parts;
        outcome.CompletePartCount = 0;
        outcome.Wrote = false;
        if (request.Script)
        {
            RunScript(request, outcome, results, parts);
        }
        else
        {
            RunStatements(request, outcome, results, parts);
        }

        outcome.Results = results ?? outcome.Results;
        outcome.Parts = parts ?? outcome.Parts;
        outcome.UnfinishedParts = null;
        outcome.ResultBytes = _runner.MaxBytes - _runner.BytesLeft;
    }

    /// <summary>Foreign keys that are checked at COMMIT and do not hold: at a savepoint's release SQLite does not look.</summary>
    /// <exception cref="RequestException">SQLITE_CONSTRAINT_FOREIGNKEY.</exception>
    public void CheckDeferredForeignKeys()
    {
        int unresolved;
        int highest;
        connection.Connection.Check(NativeMethods.fast_db_status(
            connection.Connection.Handle, SqliteCodes.DbStatusDeferredForeignKeys, &unresolved, &highest, 0));
        if (unresolved != 0)
        {
            throw SqlErrors.From(new SqliteException(SqliteCodes.ConstraintForeignKey, "FOREIGN KEY constraint failed"));
        }
    }

    /// <summary>The same for keys that the request has switched off meanwhile. Reads the whole database then, within the request's time.</summary>
    /// <exception cref="RequestException">SQLITE_CONSTRAINT_FOREIGNKEY.</exception>
    public void CheckSwitchedForeignKeys() => _foreignKeys.Check();

    /// <summary>The request has ended: foreign keys are on for the next.</summary>
    public void EndRequest() => _foreignKeys.End();

    private void RunStatements(SqlRequest request, MemberOutcome outcome, List<Result>? results, List<ResultPart>? parts)
    {
        string? previous = null;
        for (var i = 0; i < request.Statements.Count; i++)
        {
            previous = RequestShape.Sql(request, i, previous);
            _runner.UseValues(request.Statements[i], script: false);
            RunOne(connection.Rent(previous, i), i, request, outcome, results, parts);
        }
    }

    private void RunScript(SqlRequest request, MemberOutcome outcome, List<Result>? results, List<ResultPart>? parts)
    {
        using var text = new Utf8Sql(request.Statements[0].Sql, 0);
        _runner.UseValues(request.Statements[0], script: true);
        var offset = 0;
        var index = 0;
        while (connection.RentNext(text, ref offset, index) is { } statement)
        {
            RunOne(statement, index++, request, outcome, results, parts);
        }

        if (index == 0)
        {
            throw SqlErrors.Invalid("The script holds no SQL, only blanks or comments.", 0);
        }

        _runner.FinishValues(-1);
    }

    private void RunOne(PreparedSql statement, int index, SqlRequest request, MemberOutcome outcome, List<Result>? results, List<ResultPart>? parts)
    {
        // A savepoint of the user's own must outlive the statement that makes it.
        var savepoint = (statement.Traits & StatementTraits.Savepoint) == 0 ? eachStatement : null;
        savepoint?.Savepoint();
        var isDone = false;
        try
        {
            if (results != null)
            {
                var result = _runner.RunToResult(statement, index);
                results.Add(result);
                Metas.Add(result.Meta);
            }
            else
            {
                Metas.Add(_runner.RunToParts(statement, index, request.BatchRows, parts!));
            }

            if (eachStatement is null && (statement.Traits & StatementTraits.PragmaSets) != 0)
            {
                _foreignKeys.Follow(); // in an interactive transaction it is SQLite's own: without effect
            }

            outcome.Wrote |= !statement.IsReadOnly;
            outcome.CompletePartCount = parts?.Count ?? 0;
            isDone = true;
        }
        finally
        {
            _runner.Abandon();
            QueryConnection.Return(statement);
            if (savepoint != null && !connection.IsAutocommit)
            {
                if (isDone)
                {
                    savepoint.Release();
                }
                else
                {
                    savepoint.Undo();
                }
            }
        }
    }
}
