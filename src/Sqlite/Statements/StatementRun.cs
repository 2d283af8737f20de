using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>One run of one prepared statement: from its first step to its last, and what it did.</summary>
/// <remarks>Used again for the next statement. Between calls any thread may take over.</remarks>
internal sealed class StatementRun(QueryConnection connection)
{
    private PreparedSql? _statement;
    private int _index;
    private SqlAuthority _authority;
    private bool _hasRow;
    private TimeSpan _elapsed;
    private long _totalChangesBefore;
    private long _lastRowIdBefore;
    private long _schemaVersionBefore;
    private long _reservedNamesBefore;

    /// <summary>The columns, once it has started.</summary>
    public ColumnInfo[] Columns { get; private set; } = [];

    /// <summary>It stands on a row that was not taken yet.</summary>
    public bool HasRow => _hasRow;

    /// <summary>Runs a statement, its parameters bound, to its first row or its end.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="index">Its number in the request.</param>
    /// <param name="authority">A user's, but for VACUUM.</param>
    public void Start(PreparedSql statement, int index, SqlAuthority authority)
    {
        _authority = authority;
        _statement = statement;
        _index = index;
        _elapsed = TimeSpan.Zero;
        CheckTime();
        connection.Authorizer.Denial = null;
        if ((statement.Traits & StatementTraits.UsesChanges) != 0)
        {
            connection.Writes.HideChanges();
        }

        if ((statement.Traits & StatementTraits.ChecksIntegrity) != 0)
        {
            connection.ForgetVirtualTables();
        }

        if (!statement.IsReadOnly)
        {
            BeforeWrite(statement.Traits);
        }

        RowCounts.Reset(statement.Handle);
        var started = connection.Watch.Time.GetTimestamp();
        using (connection.As(authority))
        {
            Step();
        }

        Columns = NativeMethods.fast_column_count(statement.Handle) == 0 ? [] : statement.Columns;
        _elapsed = connection.Watch.Time.GetElapsedTime(started);
    }

    /// <summary>Takes rows until the batch is full.</summary>
    /// <param name="batch">Started for this statement.</param>
    /// <param name="maxRows">Most rows in the batch.</param>
    /// <param name="fullBytes">A batch this large is full.</param>
    /// <param name="maxBytes">A batch of several rows is never larger.</param>
    /// <returns>Whether a row is left.</returns>
    public bool Fill(IRowSink batch, long maxRows, long fullBytes, long maxBytes)
    {
        var started = connection.Watch.Time.GetTimestamp();
        CheckTime();
        using var user = connection.As(_authority);
        while (_hasRow && batch.Rows < maxRows && batch.Bytes < fullBytes && batch.TryAdd(_statement!.Handle, maxBytes))
        {
            Step();
        }

        _elapsed += connection.Watch.Time.GetElapsedTime(started);
        return _hasRow;
    }

    /// <summary>What it did. It has no row left. The size is left to the caller.</summary>
    public Meta Finish()
    {
        var statement = _statement!;
        var meta = new Meta { SqlDurationMs = _elapsed.TotalMilliseconds };
        RowCounts.Report(statement.Handle, meta);
        if (!statement.IsReadOnly)
        {
            AfterWrite(statement.Traits, meta);
        }

        _statement = null;
        return meta;
    }

    private void Step()
    {
        var code = NativeMethods.sqlite3_step(_statement!.Handle);
        _hasRow = code == SqliteCodes.Row;
        if (!_hasRow && code != SqliteCodes.Done)
        {
            var error = connection.Error(code, _index, _statement.Offset); // before anything else changes the connection's last error
            if (!_statement.IsReadOnly)
            {
                connection.Writes.Abort(_statement.Traits, _lastRowIdBefore);
            }

            throw error;
        }
    }

    private void CheckTime()
    {
        if (connection.Watch.Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException("The caller gave up.", connection.Watch.Cancellation);
        }

        if (connection.Watch.IsOver)
        {
            throw SqlErrors.TimedOut(connection.Watch.Timeout, _index);
        }
    }

    private void BeforeWrite(StatementTraits traits)
    {
        if ((traits & StatementTraits.Schema) != 0)
        {
            _schemaVersionBefore = OwnInteger("PRAGMA schema_version");
            _reservedNamesBefore = (traits & StatementTraits.Alters) != 0 ? CountReservedNames() : 0;
        }

        _totalChangesBefore = NativeMethods.fast_total_changes64(connection.Connection.Handle);
        _lastRowIdBefore = connection.Writes.Prepare(traits);
        connection.NoteWrite(traits);
    }

    private void AfterWrite(StatementTraits traits, Meta meta)
    {
        meta.Changes = NativeMethods.fast_total_changes64(connection.Connection.Handle) - _totalChangesBefore;
        meta.LastRowId = connection.Writes.Finish(traits, _lastRowIdBefore);
        meta.ChangedDb = meta.Changes != 0 || meta.LastRowId != 0 || (traits & StatementTraits.Rewrites) != 0;
        if ((traits & StatementTraits.Schema) == 0)
        {
            return;
        }

        meta.ChangedDb |= OwnInteger("PRAGMA schema_version") != _schemaVersionBefore;
        connection.ForgetStatements(); // what they were prepared from is gone: a new trigger may make other things of them
        if ((traits & StatementTraits.Alters) != 0 && CountReservedNames() != _reservedNamesBefore)
        {
            throw SqlErrors.At(
                Protocol.ErrorCodes.SqliteAuth,
                $"A table may not be renamed so: names beginning {string.Join(" or ", connection.Policy.ReservedPrefixes)} belong to the server.",
                _index,
                sqliteCode: SqliteCodes.Auth);
        }
    }

    private long CountReservedNames()
    {
        var conditions = connection.Policy.ReservedPrefixes.Select(prefix => $"lower(substr(name,1,{prefix.Length}))='{prefix}'");
        return OwnInteger(
            $"SELECT count(*) FROM (SELECT name FROM main.sqlite_schema UNION ALL SELECT name FROM temp.sqlite_schema) WHERE {string.Join(" OR ", conditions)}");
    }

    private long OwnInteger(string sql)
    {
        return connection.Connection.QueryInteger(sql);
    }
}
