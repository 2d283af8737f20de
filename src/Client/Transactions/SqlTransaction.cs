using System.Runtime.CompilerServices;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>An interactive transaction: step after step, then <see cref="CommitAsync"/>. Disposing it before that rolls back.</summary>
/// <remarks>
/// For one caller at a time. A statement that fails is undone alone and the transaction goes on, unless <see cref="IsEnded"/> says otherwise. Cancelling a step ends
/// the transaction. One that writes holds the database's writer: be quick, or others wait.
/// </remarks>
public sealed class SqlTransaction : SqlCalls, IAsyncDisposable
{
    private readonly DuplexCall<TransactRequest, TransactResponse> _call;
    private readonly IAsyncEnumerator<TransactResponse> _responses;
    private readonly CancellationTokenSource _ending;
    private readonly Action<Bookmark> _observe;
    private readonly bool _hasKey;
    private bool _isBusy;
    private bool _isCommitting;

    private SqlTransaction(
        DuplexCall<TransactRequest, TransactResponse> call,
        IAsyncEnumerator<TransactResponse> responses,
        CancellationTokenSource ending,
        Action<Bookmark> observe,
        bool hasKey)
    {
        _call = call;
        _responses = responses;
        _ending = ending;
        _observe = observe;
        _hasKey = hasKey;
    }

    /// <summary>What it reads at.</summary>
    public Bookmark Begun { get; private set; }

    /// <summary>Who carries it out, and what it waited for.</summary>
    public ServedBy Served { get; private set; } = ServedBy.From(null);

    /// <summary>It is over: committed, rolled back, or lost.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Runs one statement and gives its rows while they arrive. Enumerate to the end before the next step.</summary>
    public async IAsyncEnumerable<Row> StreamAsync(
        string sql, SqlParameters? parameters = null, QueryOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var reader = new StreamReader(mayHaveWritten: false);
        await foreach (var response in StepAsync(ExecuteStep([new SqlStatement(sql, parameters)], script: false, options), cancellationToken).ConfigureAwait(false))
        {
            if (response.Result is not { } part || reader.Read(new StreamResponse { Result = part }) is not ResultRows { Rows: var rows }) continue;
            foreach (var row in rows) yield return row;
        }
    }

    /// <summary>Commits; on return the outcome is durable.</summary>
    /// <returns>The commit's bookmark.</returns>
    /// <exception cref="WriteOutcomeUnknownException">It may be committed or not; with an idempotency key <see cref="SqlExecutor.GetOutcomeAsync"/> tells.</exception>
    public async Task<Bookmark> CommitAsync(CancellationToken cancellationToken = default)
    {
        _isCommitting = true;
        return await EndAsync(new TransactRequest { Commit = new() }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Rolls back.</summary>
    public async Task RollbackAsync(CancellationToken cancellationToken = default) =>
        await EndAsync(new TransactRequest { Rollback = new() }, cancellationToken).ConfigureAwait(false);

    /// <summary>Rolls back, unless it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!IsEnded && !_isBusy)
        {
            try
            {
                await RollbackAsync(_ending.Token).ConfigureAwait(false); // answered, so the writer is free on return
            }
            catch (Exception e) when (e is ReplicatedSqliteException or OperationCanceledException)
            {
                // Whoever disposes is not interested: it is rolled back in any case.
            }
        }

        IsEnded = true;
        await _responses.DisposeAsync().ConfigureAwait(false);
        await _call.DisposeAsync().ConfigureAwait(false);
        _ending.Dispose();
    }

    /// <summary>Runs a step that is put together already; of each result only the first rows are kept.</summary>
    internal async Task<ExecuteResponse> ExecuteAsync(CommandRequest request, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var results = new ResultAssembler(firstRowsOnly: true);
        await foreach (var response in StepAsync(ExecuteStep(request, timeout), cancellationToken).ConfigureAwait(false))
        {
            if (response.Result is { } part) results.Add(part);
        }

        return results.Response;
    }

    /// <summary>The same, with the parts of the answer while they arrive.</summary>
    internal async IAsyncEnumerable<StreamPart> OpenAsync(CommandRequest request, TimeSpan? timeout, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = new StreamReader(mayHaveWritten: false);
        await foreach (var response in StepAsync(ExecuteStep(request, timeout), cancellationToken).ConfigureAwait(false))
        {
            yield return response.Done is { } done
                ? new StreamDone(Begun, ServedBy.From(done.Served), Replayed: false)
                : reader.Read(new StreamResponse { Result = response.Result });
        }
    }

    internal static async Task<SqlTransaction> BeginAsync(
        Transport transport, TransactRequest begin, Action<Bookmark> observe, CancellationToken cancellationToken)
    {
        var ending = new CancellationTokenSource();
        var registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), ending);
        await using (registration.ConfigureAwait(false))
        {
            var hasKey = begin.Begin.IdempotencyKey.Length > 0;
            SqlTransaction? transaction = null;
            try
            {
                var (call, responses) = await transport.OpenDuplexAsync(QueryMethods.Transact, begin, ending.Token).ConfigureAwait(false);
                transaction = new SqlTransaction(call, responses, ending, observe, hasKey);
                var done = transaction.Read(responses.Current).Done ?? throw DamagedAnswer.Create("begin is answered with a result", mayHaveWritten: false);
                transaction.Begun = transaction.Observe(done);
                transaction.Served = ServedBy.From(done.Served);
                return transaction;
            }
            catch (Exception e)
            {
                if (transaction is not null)
                {
                    transaction.IsEnded = true;
                    await transaction.DisposeAsync().ConfigureAwait(false);
                }
                else
                {
                    ending.Dispose();
                }

                cancellationToken.ThrowIfCancellationRequested();
                if (e is RpcException failure) throw FailedCall.ToException(failure, new CallNature(MayWrite: false, hasKey));
                throw;
            }
        }
    }

    private static TransactRequest ExecuteStep(SqlStatement[] statements, bool script, QueryOptions? options)
    {
        var step = new TransactRequest.Types.Statements { Script = script, BatchRows = checked((uint)(options?.BatchRows ?? 0)) };
        if (options?.SqlTimeout is { } timeout) step.Timeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(timeout);
        foreach (var statement in statements) step.Statements_.Add(statement.ToMessage());
        return new TransactRequest { Execute = step };
    }

    private static TransactRequest ExecuteStep(CommandRequest request, TimeSpan? timeout)
    {
        var step = new TransactRequest.Types.Statements { Script = request.Script, Timeout = QueryMessages.Duration(timeout) };
        foreach (var statement in request.Statements) step.Statements_.Add(statement);
        return new TransactRequest { Execute = step };
    }

    private protected override async Task<SqlResponse> SendAsync(SqlStatement[] statements, bool script, QueryOptions? options, CancellationToken cancellationToken)
    {
        var results = new ResultAssembler();
        await foreach (var response in StepAsync(ExecuteStep(statements, script, options), cancellationToken).ConfigureAwait(false))
        {
            if (response.Result is { } part) results.Add(part);
            if (response.Done is { } done) results.Response.Served = done.Served;
        }

        return new SqlResponse(results.Response, Begun, mayHaveWritten: false);
    }

    private async Task<Bookmark> EndAsync(TransactRequest step, CancellationToken cancellationToken)
    {
        var bookmark = Begun;
        await foreach (var response in StepAsync(step, cancellationToken).ConfigureAwait(false))
        {
            if (response.Done is { } done) bookmark = Observe(done);
        }

        IsEnded = true;
        return bookmark;
    }

    // Sends a step and gives its answer, up to `done`; `failed` is thrown.
    private async IAsyncEnumerable<TransactResponse> StepAsync(TransactRequest step, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (IsEnded) throw new InvalidOperationException("The transaction has ended.");
        if (_isBusy) throw new InvalidOperationException("The last step is not answered yet, or its rows were not read to the end. Take one step after the other.");
        _isBusy = true;
        var registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _ending);
        await using (registration.ConfigureAwait(false))
        {
            await WriteAsync(step, cancellationToken).ConfigureAwait(false);
            while (true)
            {
                var response = await NextAsync(cancellationToken).ConfigureAwait(false);
                _isBusy &= response.Done is null;
                yield return response;
                if (response.Done is not null) yield break;
            }
        }
    }

    private async Task WriteAsync(TransactRequest step, CancellationToken cancellationToken)
    {
        try
        {
            await _call.WriteAsync(step, _ending.Token).ConfigureAwait(false);
        }
        catch (RpcException) when (!cancellationToken.IsCancellationRequested)
        {
            // The call has ended; the responses say how.
        }
    }

    private async Task<TransactResponse> NextAsync(CancellationToken cancellationToken)
    {
        bool more;
        try
        {
            more = await _responses.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            IsEnded = true;
            cancellationToken.ThrowIfCancellationRequested();
            if (e is not RpcException failure) throw;
            var exception = FailedCall.ToException(failure, new CallNature(MayWrite: _isCommitting, _hasKey));
            if (exception.Bookmark is { } seen) _observe(seen);
            throw exception;
        }

        if (more) return Read(_responses.Current);
        IsEnded = true;
        throw DamagedAnswer.Create("the transaction ended without an answer to its last step", mayHaveWritten: _isCommitting);
    }

    private TransactResponse Read(TransactResponse response)
    {
        if (response.Failed is { } failed)
        {
            _isBusy = false;
            IsEnded |= failed.Ended;
            var exception = FailedCall.ToException(failed.Error ?? new SqlError { Code = ErrorCodes.Internal }, failed.Message, new CallNature(_isCommitting, _hasKey));
            if (exception.Bookmark is { } seen) _observe(seen);
            throw exception;
        }

        if (response.AnswerCase == TransactResponse.AnswerOneofCase.None)
        {
            IsEnded = true;
            throw DamagedAnswer.Create("an answer of the transaction is empty", mayHaveWritten: _isCommitting);
        }

        return response;
    }

    private Bookmark Observe(Done done)
    {
        var bookmark = ServerBookmark.Parse(done.Bookmark, _isCommitting);
        _observe(bookmark);
        return bookmark;
    }
}
