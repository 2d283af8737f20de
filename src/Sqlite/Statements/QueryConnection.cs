using System.Runtime.InteropServices;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Sqlite;

/// <summary>A connection that runs users' SQL: policy, limits, prepared statements, time limits, and a clean state for each request.</summary>
/// <remarks>Used by one request at a time, by any thread. Readers cannot write; a database has one writer.</remarks>
public sealed unsafe partial class QueryConnection : IDisposable
{
    private readonly StatementCache _cache;
    private readonly Func<SqlPolicy>? _currentPolicy;
    private readonly List<(int Limit, int Value)> _ownLimits = []; // what the policy's limits have replaced
    private readonly GCHandle _authorizerHandle;
    private readonly GCHandle _watchHandle;
    private readonly SqliteStatement _openSnapshot;
    private readonly long _pageSizeBytes;
    private readonly int _pageCacheKib;
    private readonly bool _keepsSnapshots;
    private WalIndexWatch? _seen; // of the snapshot that is open, or was the last to be
    private int _snapshotHolders;
    private bool _mayKeep; // the open snapshot may outlive its request
    private bool _isKept; // it has: it is open, and nobody reads in it
    private bool _isInPast; // the snapshot is a transaction, in a state that the file has left
    private bool _tempTouched;
    private bool _schemaTouched; // since the transaction began
    private uint _sizeVersion; // SQLite's data version that _sizeBytes belongs to
    private long _sizeBytes = -1;
    private bool _sizeKnown; // _sizeBytes is what the open snapshot shows

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
        _keepsSnapshots = options.KeepsSnapshots && !isWriter;
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

    /// <summary>Takes over a policy that has changed. Asked when a request, a group or a transaction begins; no statement is in use but that which may keep a snapshot.</summary>
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

        LetGo(); // some are set between transactions only
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

    /// <summary>A statement that writes is about to run: notes what its request must not leave behind.</summary>
    internal void NoteWrite(StatementTraits traits) => _tempTouched |= (traits & StatementTraits.Temp) != 0;

    /// <summary>What went wrong, in the contract's words.</summary>
    /// <param name="code">That a function returned.</param>
    /// <param name="statementIndex">Of the statement.</param>
    /// <param name="offset">Where its SQL starts in the text as sent.</param>
    internal Exception Error(int code, int statementIndex, int offset)
    {
        _mayKeep = false; // SQLite may have ended the snapshot by itself
        var error = Connection.Error(code);
        if (error.PrimaryCode == SqliteCodes.Interrupt)
        {
            return Watch.WasCutShort ? new CutShortException()
                : Watch.Cancellation.IsCancellationRequested ? new OperationCanceledException("The caller gave up.", Watch.Cancellation)
                : Watch.IsOver ? SqlErrors.TimedOut(Watch.Timeout, statementIndex)
                : Watch.IsInTheWay ? SqlErrors.InTheWay(statementIndex)
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
