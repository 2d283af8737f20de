using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A request that only reads, prepared on a reader: its results are pulled part by part, from one snapshot.</summary>
/// <remarks>
/// Holds the connection, and from <see cref="BeginSnapshot()"/> on a read transaction, until it is disposed; between two pulls it holds no thread,
/// and each may come from another one.
/// </remarks>
public sealed class PreparedRead : IDisposable
{
    private readonly QueryConnection _connection;
    private readonly SqlRequest _request;
    private readonly StatementRunner _runner;
    private readonly List<PreparedSql> _statements;
    private int _index = -1;
    private bool _inStatement;
    private bool _hasSnapshot;
    private bool _isDisposed;

    private PreparedRead(QueryConnection connection, SqlRequest request, List<PreparedSql> statements)
    {
        _connection = connection;
        _request = request;
        _statements = statements;
        _runner = connection.Runner;
    }

    /// <summary>The part that the last <see cref="MoveNext"/> found.</summary>
    public ResultPart Current { get; private set; } = null!;

    /// <summary>How many results there will be.</summary>
    public int StatementCount => _statements.Count;

    /// <summary>Bytes of the database in the snapshot.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Prepares all statements of a request, unless one of them writes.</summary>
    /// <param name="connection">A reader that nobody else uses until the read is disposed.</param>
    /// <param name="request">The request.</param>
    /// <param name="known">Texts known to write; shared by the readers.</param>
    /// <param name="read">The read, to be disposed.</param>
    /// <returns><see langword="false"/>: it writes; send it to the writer as it is. The connection is free again.</returns>
    /// <exception cref="RequestException">The request is wrong before anything would be written: this is its answer.</exception>
    public static bool TryPrepare(QueryConnection connection, SqlRequest request, KnownTexts? known, out PreparedRead? read)
    {
        read = null;
        RequestShape.Check(request);
        if (known != null)
        {
            foreach (var statement in request.Statements)
            {
                if (known.Contains(statement.Sql))
                {
                    return false;
                }
            }
        }

        var statements = new List<PreparedSql>(request.Statements.Count);
        try
        {
            if (request.Script ? PrepareScript(connection, request, statements) : PrepareAll(connection, request, known, statements))
            {
                read = new PreparedRead(connection, request, statements);
                return true;
            }

            return false;
        }
        finally
        {
            if (read == null)
            {
                Release(connection, statements);
            }
        }
    }

    /// <summary>Opens the read transaction: the request sees what is committed now. Note the copy's position right after it.</summary>
    /// <exception cref="RequestException">SQLite could not read the file.</exception>
    public void BeginSnapshot() => BeginSnapshot(null);

    /// <summary>The same, in a state that the file has left and the WAL still holds.</summary>
    /// <exception cref="RequestException">The WAL does not hold it any more, or SQLite could not read the file.</exception>
    public void BeginSnapshot(in WalIndexHeader state) => BeginSnapshot((WalIndexHeader?)state);

    private void BeginSnapshot(WalIndexHeader? past)
    {
        if (_hasSnapshot)
        {
            return;
        }

        _connection.Watch.Start(_request.Timeout, _request.Cancellation);
        try
        {
            if (past is { } state)
            {
                _connection.BeginSnapshot(state);
            }
            else
            {
                _connection.BeginSnapshot();
            }

            _hasSnapshot = true;
            SizeBytes = _connection.SizeBytes();
        }
        catch (SqliteException error)
        {
            if (_hasSnapshot)
            {
                _hasSnapshot = false; // whoever begins again means a newer state
                _connection.EndSnapshot();
            }

            throw SqlErrors.From(error);
        }
    }

    /// <summary>From here on the read ends with <see cref="CutShortException"/> when it takes more than a few thousand steps of SQLite's machine.</summary>
    internal void BeShort() => _connection.Watch.BeShort();

    /// <summary>Finds the next part: a header, batches of rows and an end for each statement.</summary>
    /// <returns><see langword="false"/> after the last.</returns>
    /// <exception cref="RequestException">A statement failed or its time was over. Nothing more can be read.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public bool MoveNext()
    {
        BeginSnapshot();
        if (!_inStatement)
        {
            if (!StartNext())
            {
                return false;
            }

            Current = _runner.Header(_index);
        }
        else if (_runner.HasRow)
        {
            Current = _runner.Rows(_index, _request.BatchRows);
        }
        else
        {
            _inStatement = false;
            var meta = _runner.Finish();
            meta.SizeAfter = SizeBytes;
            Current = new ResultPart { StatementIndex = (uint)_index, End = meta };
        }

        return true;
    }

    /// <summary>The same with rows that are encoded already; <see langword="null"/> at the end. Instead of <see cref="MoveNext"/>, not beside it.</summary>
    /// <inheritdoc cref="MoveNext"/>
    public EncodedPart? NextEncoded()
    {
        if (_inStatement && _runner.HasRow)
        {
            return _runner.EncodedRows(_index, _request.BatchRows);
        }

        return MoveNext() ? EncodedParts.From(Current) : null;
    }

    /// <summary>Runs all that is left, each statement's rows in one batch. Instead of <see cref="MoveNext"/>, not after it.</summary>
    internal List<Result> ReadAll(int maxBytes)
    {
        BeginSnapshot();
        _runner.Begin(maxBytes);
        var results = new List<Result>(_statements.Count);
        UseScript();
        for (_index = 0; _index < _statements.Count; _index++)
        {
            UseStatement();
            var result = _runner.RunToResult(_statements[_index], _index);
            result.Meta.SizeAfter = SizeBytes;
            results.Add(result);
        }

        FinishScript();
        return results;
    }

    /// <summary>Ends the read transaction and frees the connection for the next request.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _runner.Abandon();
        if (_hasSnapshot)
        {
            _connection.EndSnapshot();
        }

        Release(_connection, _statements);
        _connection.Watch.Stop();
    }

    private static bool PrepareAll(QueryConnection connection, SqlRequest request, KnownTexts? known, List<PreparedSql> statements)
    {
        string? previous = null;
        for (var i = 0; i < request.Statements.Count; i++)
        {
            var sql = RequestShape.Sql(request, i, previous);
            // They run one after the other, so one prepared statement serves all that have its text.
            var statement = sql == previous ? statements[^1] : connection.Rent(sql, i);
            statements.Add(statement);
            if (!CanRead(statement, request.Statements.Count))
            {
                if (!statement.IsReadOnly)
                {
                    known?.Add(sql);
                }

                return false;
            }

            previous = sql;
        }

        return true;
    }

    private static bool PrepareScript(QueryConnection connection, SqlRequest request, List<PreparedSql> statements)
    {
        // All at once is the same as one after the other: what only reads cannot change what a later one is prepared from.
        using var text = new Utf8Sql(request.Statements[0].Sql, 0);
        var offset = 0;
        while (connection.RentNext(text, ref offset, statements.Count) is { } statement)
        {
            statements.Add(statement);
            if (!CanRead(statement, int.MaxValue))
            {
                return false;
            }
        }

        return statements.Count > 0 ? true : throw SqlErrors.Invalid("The script holds no SQL, only blanks or comments.", 0);
    }

    /// <summary>A pragma that sets something does so when it is prepared, so among others its turn would come too early: the writer keeps the order.</summary>
    private static bool CanRead(PreparedSql statement, int statements) =>
        statement.IsReadOnly && (statements == 1 || (statement.Traits & StatementTraits.PragmaSets) == 0);

    private static void Release(QueryConnection connection, List<PreparedSql> statements)
    {
        PreparedSql? last = null;
        foreach (var statement in statements)
        {
            if (statement != last)
            {
                QueryConnection.Return(statement);
            }

            last = statement;
        }

        connection.ResetAfterRequest();
    }

    private bool StartNext()
    {
        if (_index == -1)
        {
            UseScript();
        }

        if (++_index >= _statements.Count)
        {
            _index = _statements.Count;
            FinishScript();
            return false;
        }

        UseStatement();
        _runner.Start(_statements[_index], _index);
        _inStatement = true;
        return true;
    }

    private void UseScript()
    {
        if (_request.Script)
        {
            _runner.UseValues(_request.Statements[0], script: true);
        }
    }

    private void UseStatement()
    {
        if (!_request.Script)
        {
            _runner.UseValues(_request.Statements[_index], script: false);
        }
    }

    private void FinishScript()
    {
        if (_request.Script)
        {
            _runner.FinishValues(-1);
        }
    }
}
