using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A connection that runs users' SQL: policy, limits, prepared statements, time limits, and a clean state for each request.</summary>
/// <remarks>Used by one request at a time, by any thread. Readers cannot write; a database has one writer.</remarks>
public sealed unsafe class QueryConnection : IDisposable
{
    private readonly StatementCache _cache;
    private readonly Func<SqlPolicy>? _currentPolicy;
    private readonly List<(int Limit, int Value)> _ownLimits = []; // what the policy's limits have replaced
    private readonly GCHandle _authorizerHandle;
    private readonly GCHandle _watchHandle;
    private readonly SqliteStatement _openSnapshot;
    private readonly long _pageSizeBytes;
    private readonly int _pageCacheKib;
    private int _snapshotHolders;
    private bool _isInPast; // the snapshot is a transaction, in a state that the file has left
    private bool _tempTouched;
    private bool _schemaTouched; // since the transaction began
    private uint _sizeVersion; // SQLite's data version that _sizeBytes belongs to
    private long _sizeBytes = -1;

    private QueryConnection(SqliteConnection connection, bool isWriter, QueryConnectionOptions options)
    {
        Connection = connection;
        IsWriter = isWriter;
        _currentPolicy = options.CurrentPolicy;
        Authorizer = new SqlAuthorizer(options.CurrentPolicy?.Invoke() ?? options.Policy);
        Watch = new RunWatch(options.Time);
        Runner = new StatementRunner(this);
        _cache = new StatementCache(options.MaxCachedStatements, options.MaxCachedSqlLength);
        _pageCacheKib = options.PageCacheKib;
        connection.Execute($"PRAGMA cache_size=-{options.PageCacheKib}");
        if (isWriter)
        {
            connection.Execute("PRAGMA synchronous=OFF"); // the quorum makes a write durable
        }

        _pageSizeBytes = connection.QueryInteger("PRAGMA page_size");
        _openSnapshot = connection.Prepare("SELECT (SELECT 1 FROM sqlite_schema)"); // one row in any database, and it touches the file
        SetLimits();
        _authorizerHandle = GCHandle.Alloc(Authorizer);
        _watchHandle = GCHandle.Alloc(Watch);
        Writes = new WriteTracker(connection, isWriter);
        connection.Check(NativeMethods.sqlite3_set_authorizer(connection.Handle, &SqlAuthorizer.Callback, GCHandle.ToIntPtr(_authorizerHandle)));
        LookEvery(RunWatch.StepsBetweenLooks);
    }

    /// <summary>The connection below, for SQL of the engine's own: the policy looks at users' statements only.</summary>
    public SqliteConnection Connection { get; }

    /// <summary>Opened for writing.</summary>
    public bool IsWriter { get; }

    /// <summary>What users' SQL may do here.</summary>
    public SqlPolicy Policy => Authorizer.Policy;

    /// <summary>How many prepared statements are kept.</summary>
    public int CachedStatements => _cache.Count;

    internal SqlAuthorizer Authorizer { get; }

    internal RunWatch Watch { get; }

    internal StatementRunner Runner { get; }

    internal WriteTracker Writes { get; }

    /// <summary>Until it is disposed, SQL on this connection is not the engine's own.</summary>
    internal AuthorityScope As(SqlAuthority authority) => new(Authorizer, authority);

    internal bool IsAutocommit => NativeMethods.fast_get_autocommit(Connection.Handle) != 0;

    /// <summary>Temp objects were made: they go when the transaction has ended, by <see cref="ResetAfterTransaction"/>.</summary>
    internal bool TempTouched => _tempTouched;

    /// <summary>Opens an existing file for reading.</summary>
    /// <exception cref="SqliteException">It cannot be opened.</exception>
    public static QueryConnection OpenForReading(string path, QueryConnectionOptions? options = null) =>
        Open(SqliteConnection.Open(path, readOnly: true), isWriter: false, options ?? new QueryConnectionOptions());

    /// <summary>Opens a file for writing. The caller sees to it that there is one writer.</summary>
    /// <exception cref="SqliteException">It cannot be opened.</exception>
    public static QueryConnection OpenForWriting(string path, bool create = false, QueryConnectionOptions? options = null)
    {
        options ??= new QueryConnectionOptions();
        return Open(SqliteConnection.Open(path, create, pageSizeBytes: options.PageSizeBytes), isWriter: true, options);
    }

    /// <summary>Opens a file that nobody else has open, for writing it as a whole; see <see cref="SqliteConnection.OpenAlone"/>.</summary>
    /// <exception cref="SqliteException">It cannot be opened.</exception>
    internal static QueryConnection OpenAlone(string path, bool create, QueryConnectionOptions options) =>
        Open(SqliteConnection.OpenAlone(path, create, options.PageSizeBytes), isWriter: true, options);

    /// <summary>Takes a snapshot that every read sees until it is disposed, as in a transaction that only reads.</summary>
    /// <exception cref="RequestException">SQLite could not read the file.</exception>
    public HeldSnapshot HoldSnapshot() => new(this, null);

    /// <summary>The same, of a state that the file has left and the WAL still holds.</summary>
    /// <exception cref="RequestException">The WAL does not hold it any more, or SQLite could not read the file.</exception>
    public HeldSnapshot HoldSnapshot(in WalIndexHeader state) => new(this, state);

    /// <summary>What a text's first statement would need and return, without running it.</summary>
    /// <exception cref="RequestException">The text is refused, by SQLite or by us.</exception>
    public DescribeResponse Describe(string sql)
    {
        using var text = new Utf8Sql(sql, 0);
        var next = 0;
        var statement = RentNext(text, ref next, 0) ?? throw SqlErrors.Invalid("The text holds no SQL, only blanks or comments.", 0);
        try
        {
            var description = new DescribeResponse { ReadOnly = statement.IsReadOnly, TailOffset = (uint)next };
            description.Parameters.Add(statement.Parameters.Select(name => name ?? ""));
            description.Columns.Add(statement.Columns);
            return description;
        }
        finally
        {
            Return(statement);
            ResetAfterRequest();
        }
    }

    /// <summary>Closes the connection. No request is running.</summary>
    public void Dispose()
    {
        _cache.Clear();
        _openSnapshot.Dispose();
        Writes.Dispose();
        Connection.Dispose();
        if (_authorizerHandle.IsAllocated)
        {
            _authorizerHandle.Free();
            _watchHandle.Free();
        }
    }

    /// <summary>Opens the read transaction: what is committed now is what the request sees.</summary>
    /// <remarks>
    /// A statement that has been stepped and not reset holds it open, which costs one call instead of BEGIN, a read and COMMIT. Nothing but that
    /// statement has to be reset at the end.
    /// </remarks>
    internal void BeginSnapshot()
    {
        if (_snapshotHolders == 0)
        {
            _openSnapshot.Step();
        }

        _snapshotHolders++;
    }

    /// <summary>Opens the read transaction in a state that the file has left. No other is open.</summary>
    /// <exception cref="SqliteException">The WAL does not hold that state any more.</exception>
    /// <remarks>A snapshot in SQLite's sense is the WAL-index's header of its moment (<c>sqlite3.h</c>, <c>sqlite3_snapshot_open</c>; <c>wal.c</c>, <c>sqlite3WalSnapshotOpen</c>).</remarks>
    internal void BeginSnapshot(in WalIndexHeader state)
    {
        BeginSnapshot(); // SQLite knows only then that there is a WAL
        EndSnapshot();
        Connection.Execute("BEGIN");
        try
        {
            Span<byte> bytes = stackalloc byte[WalIndexHeader.SizeBytes];
            state.Write(bytes);
            fixed (byte* main = "main\0"u8, snapshot = bytes)
            {
                Connection.Check(NativeMethods.sqlite3_snapshot_open(Connection.Handle, main, snapshot));
            }
        }
        catch
        {
            Connection.Execute("ROLLBACK");
            throw;
        }

        _isInPast = true;
        _snapshotHolders++;
    }

    internal void EndSnapshot()
    {
        if (--_snapshotHolders > 0)
        {
            return;
        }

        if (_isInPast)
        {
            _isInPast = false;
            Connection.Execute("ROLLBACK"); // statements that are not reset yet, if any, end with it
        }
        else
        {
            _openSnapshot.Reset();
        }
    }

    /// <summary>The size that the open transaction sees. Cheap while nobody writes.</summary>
    internal long SizeBytes()
    {
        uint version = 0;
        fixed (byte* main = "main\0"u8)
        {
            Connection.Check(NativeMethods.sqlite3_file_control_bytes(Connection.Handle, main, SqliteCodes.FileControlDataVersion, &version));
        }

        // The version moves when others have written; a writer's own changes do not move it.
        if (IsWriter || _sizeBytes < 0 || version != _sizeVersion)
        {
            _sizeBytes = Connection.QueryInteger("PRAGMA page_count") * _pageSizeBytes;

            _sizeVersion = version;
        }

        return _sizeBytes;
    }

    /// <summary>What SQLite's page cache holds at most.</summary>
    internal long PageCacheBytes => _pageCacheKib * 1024L;

    /// <summary>What this connection has written to its file. What is only in the cache comes later.</summary>
    internal long WrittenBytes
    {
        get
        {
            int written;
            int highest;
            Connection.Check(NativeMethods.fast_db_status(Connection.Handle, SqliteCodes.DbStatusCacheWrite, &written, &highest, 0));
            return written * _pageSizeBytes;
        }
    }

    /// <summary>Takes over a policy that has changed. Asked when a request, a group or a transaction begins; nothing is open, and no statement is in use.</summary>
    internal void AdoptPolicy()
    {
        if (_currentPolicy?.Invoke() is not { } policy || ReferenceEquals(policy, Policy))
        {
            return;
        }

        _cache.Clear(); // they were allowed by the old one
        Authorizer.Policy = policy;
        foreach (var (limit, value) in _ownLimits)
        {
            _ = NativeMethods.sqlite3_limit(Connection.Handle, limit, value);
        }

        SetLimits();
    }

    /// <summary>How many steps of SQLite's machine pass between two looks whether a request's time is over. Tests look more often.</summary>
    internal void LookEvery(int steps) => NativeMethods.sqlite3_progress_handler(Connection.Handle, steps, &RunWatch.Callback, GCHandle.ToIntPtr(_watchHandle));

    /// <summary>Sets back the pragmas that a request has changed. Costs nothing when it changed none.</summary>
    internal void ResetAfterRequest()
    {
        if (Authorizer.Changed.Count == 0)
        {
            return;
        }

        foreach (var rule in Authorizer.Changed)
        {
            Connection.Execute($"PRAGMA {rule.Name}={rule.Default}");
        }

        Authorizer.Changed.Clear();
    }

    /// <summary>Drops the temp objects that the transaction has left, and pragmas' changes. No transaction is open.</summary>
    internal void ResetAfterTransaction()
    {
        ResetAfterRequest();
        _schemaTouched = false;
        if (!_tempTouched)
        {
            return;
        }

        _cache.Clear();
        // Changing where temp objects live deletes them all, internal tables included.
        Connection.Execute("PRAGMA temp_store=MEMORY; PRAGMA temp_store=DEFAULT");

        _tempTouched = false;
    }

    /// <summary>A statement by its whole text, of which there is exactly one in it. Goes back by <see cref="Return"/>.</summary>
    /// <exception cref="RequestException">The text is refused, by SQLite or by us.</exception>
    internal PreparedSql Rent(string sql, int statementIndex, string severalText = "The text holds several statements. Send each as a Statement of its own, or set `script`.")
    {
        var statement = _cache.Take(sql);
        if (statement != null)
        {
            return statement;
        }

        using var text = new Utf8Sql(sql, statementIndex);
        statement = Prepare(text, 0, statementIndex, sql, out var next)
            ?? throw SqlErrors.Invalid("The statement's text holds no SQL, only blanks or comments.", statementIndex);
        if (HasMore(text, next))
        {
            statement.Free();
            throw SqlErrors.Invalid(severalText, statementIndex, next);
        }

        Keep(statement);
        return statement;
    }

    /// <summary>The next statement of a script.</summary>
    /// <returns><see langword="null"/> at the end.</returns>
    internal PreparedSql? RentNext(Utf8Sql script, ref int offset, int statementIndex)
    {
        if (offset == 0 && script.Text != null && _cache.Take(script.Text) is { } whole)
        {
            offset = script.Length;
            return whole; // a script of one statement, seen before
        }

        var start = offset;
        var statement = Prepare(script, start, statementIndex, null, out offset);
        if (statement != null)
        {
            statement.InUse = true;
            statement.Evicted = true; // freed when it comes back
        }

        return statement;
    }

    /// <summary>The next statement of a text of which more may follow behind what is there.</summary>
    /// <param name="window">The text from here on, as far as it is there.</param>
    /// <param name="isEnd">Nothing follows.</param>
    /// <param name="offset">Where in the window; moves behind the statement.</param>
    /// <param name="statementIndex">Its number.</param>
    /// <param name="needsMore">Whether it is whole cannot be said before more is there.</param>
    /// <returns><see langword="null"/> at the end, or when more is needed.</returns>
    /// <exception cref="RequestException">SQLite refused it, or we.</exception>
    internal PreparedSql? RentNext(Utf8Sql window, bool isEnd, ref int offset, int statementIndex, out bool needsMore)
    {
        var start = offset;
        var code = TryPrepare(window, start, null, out var statement, out var next);

        // What reaches to the end of the window may go on behind it: a shorter statement may be one too.
        needsMore = !isEnd && (code != SqliteCodes.Ok || next >= window.Length);
        if (needsMore)
        {
            statement?.Free();
            return null;
        }

        if (code != SqliteCodes.Ok)
        {
            throw Error(code, statementIndex, start);
        }

        offset = next;
        if (statement != null)
        {
            statement.InUse = true;
            statement.Evicted = true; // freed when it comes back
        }

        return statement;
    }

    /// <summary>Gives a statement back.</summary>
    internal static void Return(PreparedSql statement)
    {
        statement.Reset();
        statement.InUse = false;
        if (statement.Evicted)
        {
            statement.Free();
        }
    }

    /// <summary>Other SQL than that of prepared statements changed what they were prepared from.</summary>
    internal void ForgetStatements()
    {
        _cache.Clear();
        _schemaTouched = true;
    }

    /// <summary>Makes SQLite connect its virtual tables anew, so that none compares the file with what it remembers of an older state.</summary>
    /// <remarks>
    /// FTS5 keeps the list of its index's segments. A query looks whether another connection has written since; an integrity check does not (as of
    /// SQLite 3.53.2), and reports a checksum mismatch in a table that is whole. A writer is not touched: it alone writes, so what it remembers
    /// is right, and in the middle of a transaction it holds rows that are not in the file yet.
    /// </remarks>
    internal void ForgetVirtualTables()
    {
        if (!IsWriter)
        {
            Connection.Execute("PRAGMA writable_schema=RESET"); // drops the connection's picture of the schema and changes nothing in the file
        }
    }

    /// <summary>A transaction or savepoint was rolled back, and with it perhaps a change of the schema.</summary>
    internal void AfterRollback()
    {
        if (_schemaTouched)
        {
            _cache.Clear();
        }
    }

    /// <summary>A statement that writes is about to run: notes what its request must not leave behind.</summary>
    internal void NoteWrite(StatementTraits traits) => _tempTouched |= (traits & StatementTraits.Temp) != 0;

    /// <summary>What went wrong, in the contract's words.</summary>
    /// <param name="code">That a function returned.</param>
    /// <param name="statementIndex">Of the statement.</param>
    /// <param name="offset">Where its SQL starts in the text as sent.</param>
    internal Exception Error(int code, int statementIndex, int offset)
    {
        var error = Connection.Error(code);
        if (error.PrimaryCode == SqliteCodes.Interrupt)
        {
            return Watch.WasCutShort ? new CutShortException()
                : Watch.Cancellation.IsCancellationRequested ? new OperationCanceledException("The caller gave up.", Watch.Cancellation)
                : Watch.IsOver ? SqlErrors.TimedOut(Watch.Timeout, statementIndex)
                : SqlErrors.At(
                    ErrorCodes.CopyStale, "The server has stopped the statement, because this copy is going away. Nothing was done; try again.", statementIndex);
        }

        var denial = Authorizer.Denial;
        var at = error.SqlOffset >= 0 ? offset + error.SqlOffset : -1;
        if (denial != null && (error.PrimaryCode == SqliteCodes.Auth
            || error.Message.Contains("not authorized", StringComparison.Ordinal)
            || error.Message.Contains("prohibited", StringComparison.Ordinal)))
        {
            return SqlErrors.At(ErrorCodes.SqliteAuth, denial, statementIndex, at, SqliteCodes.Auth);
        }

        return SqlErrors.From(error, statementIndex, at);
    }

    private static QueryConnection Open(SqliteConnection connection, bool isWriter, QueryConnectionOptions options)
    {
        try
        {
            return new QueryConnection(connection, isWriter, options);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void SetLimits()
    {
        _ownLimits.Clear();
        foreach (var (limit, value) in Policy.Limits)
        {
            _ownLimits.Add((limit, NativeMethods.sqlite3_limit(Connection.Handle, limit, value)));
        }
    }

    private void Keep(PreparedSql statement)
    {
        statement.InUse = true;
        // A pragma that sets something does so when it is prepared: from the cache it would do nothing. A savepoint is allowed here and refused there.
        statement.Evicted = (statement.Traits & (StatementTraits.Pragma | StatementTraits.Savepoint)) != 0 || !_cache.Add(statement);
    }

    private PreparedSql? Prepare(Utf8Sql text, int start, int statementIndex, string? cacheKey, out int next)
    {
        var code = TryPrepare(text, start, cacheKey, out var statement, out next);
        if (SqliteCodes.Primary(code) == SqliteCodes.Error && !IsWriter && _snapshotHolders == 0)
        {
            // A reader's picture of the schema may be older than the file. SQLite looks again after most errors that may come from that, but not after all,
            // such as a missing INSTEAD OF trigger or a table that exists no more.
            RefreshSchema();
            code = TryPrepare(text, start, cacheKey, out statement, out next);
        }

        return code == SqliteCodes.Ok ? statement : throw Error(code, statementIndex, start);
    }

    private int TryPrepare(Utf8Sql text, int start, string? cacheKey, out PreparedSql? statement, out int next)
    {
        Authorizer.Traits = StatementTraits.None;
        Authorizer.Denial = null;
        Authorizer.Preparing = true;
        statement = null;
        try
        {
            using var user = As(SqlAuthority.User);
            fixed (byte* sql = text.Bytes)
            {
                var code = NativeMethods.sqlite3_prepare_v3(
                    Connection.Handle, sql + start, text.LengthFrom(start), cacheKey == null ? 0u : SqliteCodes.PreparePersistent, out var handle, out var tail);
                next = code == SqliteCodes.Ok ? (int)(tail - sql) : start;
                if (handle != 0)
                {
                    ReadOnlySpan<byte> own = text.Bytes.AsSpan(start, next - start);
                    var unseen = SqlText.IsVacuum(own) ? StatementTraits.Vacuum : SqlText.IsCreateOrDrop(own) ? StatementTraits.Schema : 0;
                    statement = new PreparedSql(this, handle, cacheKey, start, Authorizer.Traits | unseen);
                }

                return code;
            }
        }
        finally
        {
            Authorizer.Preparing = false;
        }
    }

    /// <summary>Reads the schema again if the file's is another: a statement that begins a read transaction compares them.</summary>
    private void RefreshSchema()
    {
        try
        {
            BeginSnapshot();
            EndSnapshot();
        }
        catch (SqliteException error)
        {
            throw SqlErrors.From(error);
        }
    }

    /// <summary>Whether there is any SQL from here on. Only SQLite knows, since it may be comments.</summary>
    private bool HasMore(Utf8Sql text, int start)
    {
        if (text.Bytes.AsSpan(start, text.Length - start).IndexOfAnyExcept(" \t\r\n\f"u8) < 0)
        {
            return false;
        }

        using (As(SqlAuthority.Probe))
        {
            fixed (byte* sql = text.Bytes)
            {
                var code = NativeMethods.sqlite3_prepare_v3(Connection.Handle, sql + start, text.LengthFrom(start), 0, out var handle, out _);
                if (handle != 0)
                {
                    _ = NativeMethods.sqlite3_finalize(handle);
                }

                return code != SqliteCodes.Ok || handle != 0;
            }
        }
    }

    /// <summary>A stretch in which SQL is somebody else's than the engine's.</summary>
    internal readonly ref struct AuthorityScope
    {
        private readonly SqlAuthorizer _authorizer;

        internal AuthorityScope(SqlAuthorizer authorizer, SqlAuthority authority)
        {
            _authorizer = authorizer;
            authorizer.Authority = authority;
        }

        /// <summary>Back to the engine's own.</summary>
        public void Dispose() => _authorizer.Authority = SqlAuthority.Owner;
    }
}
