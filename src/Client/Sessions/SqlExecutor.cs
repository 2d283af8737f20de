using System.Runtime.CompilerServices;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>Runs SQL against one database: at the primary (<see cref="ReplicatedDatabase"/>) or within a <see cref="Session"/>. Thread-safe.</summary>
/// <remarks>Failures are <see cref="ReplicatedSqliteException"/>s; a cancelled call throws <see cref="OperationCanceledException"/>, and its write may still commit.</remarks>
public abstract class SqlExecutor : SqlCalls
{
    private readonly Transport _transport;

    private protected SqlExecutor(Transport transport, string databaseName, CallDefaults? defaults)
    {
        Defaults = defaults ?? CallDefaults.None;
        _transport = transport;
        DatabaseName = databaseName;
    }

    /// <summary>The name or id of the database.</summary>
    public string DatabaseName { get; }

    /// <summary>SQL to be bound to values and run here. Nothing is sent yet.</summary>
    public PreparedStatement Prepare(string sql) => new(this, new SqlStatement(sql));

    /// <summary>Runs one statement and gives its rows while they arrive. Leaving the enumeration early cancels the call.</summary>
    public async IAsyncEnumerable<Row> StreamAsync(
        string sql,
        SqlParameters? parameters = null,
        QueryOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var part in StreamBatchAsync([new SqlStatement(sql, parameters)], options, cancellationToken).ConfigureAwait(false))
        {
            if (part is not ResultRows { Rows: var rows }) continue;
            foreach (var row in rows) yield return row;
        }
    }

    /// <summary>Runs statements as one transaction and gives their results piece by piece.</summary>
    public IAsyncEnumerable<StreamPart> StreamBatchAsync(
        IEnumerable<SqlStatement> statements, QueryOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(statements);
        return OpenAsync([.. statements], script: false, options, cancellationToken);
    }

    /// <summary>Runs a script as one transaction and gives its results piece by piece.</summary>
    public IAsyncEnumerable<StreamPart> StreamScriptAsync(
        string sql, SqlParameters? parameters = null, QueryOptions? options = null, CancellationToken cancellationToken = default) =>
        OpenAsync([new SqlStatement(sql, parameters)], script: true, options, cancellationToken);

    /// <summary>What became of a write, by its idempotency key; with a bookmark at or after what the answer was read from.</summary>
    /// <param name="idempotencyKey">The key.</param>
    /// <param name="sentWithin">The write was sent first so long ago or less. Without it the answer may be <see cref="CommitState.Unknown"/> once the server
    /// has forgotten other keys (after 24 h), unless the key is a UUID of version 7 (<see cref="Guid.CreateVersion7()"/>), which tells its age.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<(CommitState State, Bookmark? Bookmark)> GetOutcomeAsync(
        string idempotencyKey, TimeSpan? sentWithin = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(idempotencyKey);
        try
        {
            var request = QueryMessages.GetOutcome(DatabaseName, idempotencyKey, sentWithin);
            var response = await _transport.CallAsync(QueryMethods.GetOutcome, request, new CallNature(MayWrite: false, HasKey: true), null, cancellationToken).ConfigureAwait(false);
            var bookmark = ServerBookmark.TryParse(response.Bookmark);
            if (bookmark is { } seen) Observe(seen);
            return ((CommitState)response.State, bookmark);
        }
        catch (RpcException e)
        {
            throw Failed(e, new CallNature(MayWrite: false, HasKey: true));
        }
    }

    /// <summary>Begins an interactive transaction: at the primary, or, if it only reads, where the session allows. Dispose it.</summary>
    public Task<SqlTransaction> BeginTransactionAsync(SqlTransactionOptions? options = null, CancellationToken cancellationToken = default) =>
        BeginTransactionAsync(options ?? new(), nearest: false, cancellationToken);

    /// <summary>What the first statement of a text would need and return, without running it.</summary>
    public async Task<StatementDescription> DescribeAsync(string sql, QueryOptions? options = null, CancellationToken cancellationToken = default)
    {
        try
        {
            var request = QueryMessages.Describe(DatabaseName, new SqlStatement(sql), SessionToSend(), options);
            return StatementDescription.From(
                await _transport.CallAsync(QueryMethods.Describe, request, default, options?.CallTimeout, cancellationToken).ConfigureAwait(false));
        }
        catch (RpcException e)
        {
            throw Failed(e, new CallNature(MayWrite: false, HasKey: false));
        }
    }

    /// <summary>Begins a transaction; <paramref name="nearest"/> lets any copy answer where there is no session that says otherwise.</summary>
    internal Task<SqlTransaction> BeginTransactionAsync(SqlTransactionOptions options, bool nearest, CancellationToken cancellationToken)
    {
        var session = SessionToSend();
        if (nearest && session.Length == 0) session = Session.FirstUnconstrained;
        return SqlTransaction.BeginAsync(_transport, QueryMessages.Begin(DatabaseName, session, options), Observe, cancellationToken);
    }

    /// <summary>Sends a request that is put together already.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal async ValueTask<ExecuteResponse> SendAsync(ExecuteRequest request, CallNature nature, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var trace = OperationTrace.Start(DatabaseName, request.Statements[0].Sql, request.Statements.Count, request.Read.Session, _transport.Log);
        try
        {
            var response = await _transport.CallAsync(QueryMethods.Execute, request, nature, timeout, cancellationToken).ConfigureAwait(false);
            var bookmark = ServerBookmark.Parse(response.Bookmark, nature.MayWrite);
            Observe(bookmark);
            trace.Seen(bookmark);
            if (trace.IsOn) trace.Returned(CountRows(response));
            return response;
        }
        catch (RpcException e)
        {
            var failure = Failed(e, nature);
            trace.Failed(failure);
            throw failure;
        }
        catch (Exception e)
        {
            trace.Failed(e);
            throw;
        }
        finally
        {
            trace.End();
        }
    }

    /// <summary>The same, with the parts of the answer while they arrive.</summary>
    internal async IAsyncEnumerable<StreamPart> OpenAsync(
        StreamRequest request, CallNature nature, TimeSpan? timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var trace = OperationTrace.Start(DatabaseName, request.Statements[0].Sql, request.Statements.Count, request.Read.Session, _transport.Log);
        var reader = new StreamReader(nature.MayWrite);
        IAsyncEnumerator<StreamResponse>? responses = null;
        try
        {
            bool more;
            try
            {
                responses = await _transport.OpenAsync(QueryMethods.Stream, request, nature, timeout, cancellationToken).ConfigureAwait(false);
                more = responses is not null;
            }
            catch (Exception e)
            {
                throw Failed(e, nature, ref trace);
            }

            while (more)
            {
                var part = reader.Read(responses!.Current);
                if (part is ResultStart { Bookmark: { } snapshot }) Observe(snapshot);
                if (part is ResultRows { Rows: var rows }) trace.Returned(rows.Count);
                if (part is StreamDone done)
                {
                    Observe(done.Bookmark);
                    trace.Seen(done.Bookmark);
                }

                yield return part;
                try
                {
                    more = await responses.MoveNextAsync().ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    throw Failed(e, nature, ref trace);
                }
            }

            if (!reader.IsComplete) throw reader.CutShort();
        }
        finally
        {
            if (responses is not null) await responses.DisposeAsync().ConfigureAwait(false);
            trace.End();
        }
    }

    internal CallDefaults Defaults { get; }

    internal bool IsOn(Transport transport) => transport == _transport;

    private protected Transport Transport => _transport;

    /// <summary>What a call that starts now sends as its session; empty: the primary.</summary>
    internal abstract string SessionToSend();

    /// <summary>Every bookmark that an answer or an error brings.</summary>
    private protected abstract void Observe(Bookmark bookmark);

    private static long CountRows(ExecuteResponse response)
    {
        var rows = 0L;
        foreach (var result in response.Results) rows += result.Rows?.RowCount ?? 0;
        return rows;
    }

    private protected override async Task<SqlResponse> SendAsync(SqlStatement[] statements, bool script, QueryOptions? options, CancellationToken cancellationToken)
    {
        CheckAny(statements);
        options = Defaults.Apply(options, QueryMessages.MayWrite(statements, options));
        var nature = QueryMessages.NatureOf(statements, options);
        var request = QueryMessages.Execute(DatabaseName, statements, script, SessionToSend(), options);
        var response = await SendAsync(request, nature, options?.CallTimeout, cancellationToken).ConfigureAwait(false);
        return new SqlResponse(response, ServerBookmark.Parse(response.Bookmark, nature.MayWrite), nature.MayWrite);
    }

    private IAsyncEnumerable<StreamPart> OpenAsync(SqlStatement[] statements, bool script, QueryOptions? options, CancellationToken cancellationToken)
    {
        CheckAny(statements);
        options = Defaults.Apply(options, QueryMessages.MayWrite(statements, options));
        var nature = QueryMessages.NatureOf(statements, options);
        return OpenAsync(QueryMessages.Stream(DatabaseName, statements, script, SessionToSend(), options), nature, StreamTimeout(options), cancellationToken);
    }

    // A connection string's time for a command is no limit for a stream, which may run for hours.
    private TimeSpan? StreamTimeout(QueryOptions? options) => options?.CallTimeout is { } time && time != Defaults.CallTimeout ? time : null;

    private static void CheckAny(SqlStatement[] statements)
    {
        if (statements.Length == 0) throw new ArgumentException("There is no statement to run.", nameof(statements));
    }

    private Exception Failed(Exception exception, CallNature nature, ref OperationTrace trace)
    {
        if (exception is RpcException e) exception = Failed(e, nature);
        trace.Failed(exception);
        return exception;
    }

    private ReplicatedSqliteException Failed(RpcException e, CallNature nature)
    {
        var exception = FailedCall.ToException(e, nature);
        if (exception.Bookmark is { } seen) Observe(seen); // errors are answers too: they were computed from a state
        return exception;
    }
}
