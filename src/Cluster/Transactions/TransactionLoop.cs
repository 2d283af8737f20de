using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>Leads an interactive transaction on a copy: step after step, each answered in order, until it ends or its lease does.</summary>
public sealed class TransactionLoop
{
    private static readonly TimeSpan _patienceWithLastWord = TimeSpan.FromSeconds(5);

    private readonly TransactCall _call;
    private readonly TransactionLease _lease;
    private readonly CancellationToken _cancellationToken;

    private TransactionLoop(TransactCall call, TransactionLease lease, CancellationToken cancellationToken)
    {
        _call = call;
        _lease = lease;
        _cancellationToken = cancellationToken;
    }

    /// <summary>Runs a whole transaction. What is refused or fails is told to the client; on return the call is answered.</summary>
    /// <param name="call">Its steps after Begin, and the answers.</param>
    /// <param name="lease">Its time. Started by <paramref name="open"/> when the transaction begins to hold something.</param>
    /// <param name="open">Begins it.</param>
    /// <param name="cancellationToken">The client has gone: it is rolled back.</param>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public static async Task RunAsync(
        TransactCall call, TransactionLease lease, Func<TransactionLease, Task<IOpenTransaction>> open, CancellationToken cancellationToken)
    {
        RequestException? failure;
        try
        {
            var transaction = await open(lease);
            await using (transaction) // rolled back, and what it held is free, before the client is told
            {
                await new TransactionLoop(call, lease, cancellationToken).RunAsync(transaction);
            }

            return;
        }
        catch (OperationCanceledException) when (lease.Reason is not null)
        {
            failure = lease.Reason;
        }
        catch (RequestException e)
        {
            failure = e;
        }

        // A client that does not read cannot be told; its stream is reset then.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_patienceWithLastWord);
        await call.FailAsync(failure!, ended: true, patience.Token);
    }

    private async Task RunAsync(IOpenTransaction transaction)
    {
        await _call.AnswerAsync(transaction.Begun, _lease.Token);
        WaitForClient();
        while (await _call.NextAsync(_lease.Token) is { } step)
        {
            _lease.Work();
            _lease.Token.ThrowIfCancellationRequested();
            switch (step.StepCase)
            {
                case TransactRequest.StepOneofCase.Execute:
                    _call.Query?.BeginStep(step.Execute.Statements_);
                    await ExecuteAsync(transaction, step.Execute);
                    break;
                case TransactRequest.StepOneofCase.Commit:
                    _call.Query?.Stage = RequestStage.WaitingForQuorum;
                    _lease.Token.ThrowIfCancellationRequested(); // who ended it before that was told that nothing was done
                    await _call.AnswerAsync(await transaction.CommitAsync(), _cancellationToken); // no lease any more: it is decided
                    return;
                case TransactRequest.StepOneofCase.Rollback:
                    await _call.AnswerAsync(await transaction.RollbackAsync(), _cancellationToken);
                    return;
                default:
                    await _call.FailAsync(Unexpected(step), ended: false, _lease.Token);
                    break;
            }

            WaitForClient();
        }
    }

    private void WaitForClient()
    {
        _call.Query?.Stage = RequestStage.Idle;
        _lease.WaitForClient();
    }

    private async Task ExecuteAsync(IOpenTransaction transaction, TransactRequest.Types.Statements step)
    {
        try
        {
            await foreach (var part in transaction.ExecuteAsync(SqlRequests.From(step, _lease.Token)))
            {
                _lease.WaitForClient(); // one that does not read must not hold the writer either
                await _call.AnswerAsync(new TransactResponse { Result = part }, _lease.Token);
                _lease.Work();
            }
        }
        catch (RequestException) when (_lease.Reason is { } reason)
        {
            throw reason; // stopped for that
        }
        catch (RequestException failure) when (transaction.IsOpen)
        {
            failure.Error.Bookmark = transaction.Begun.Bookmark;
            await _call.FailAsync(failure, ended: false, _lease.Token);
            return;
        }
        catch (RequestException failure)
        {
            failure.Error.Bookmark = transaction.Begun.Bookmark;
            throw;
        }

        await _call.AnswerAsync(new Done { Bookmark = transaction.Begun.Bookmark, Served = transaction.Begun.Served }, _lease.Token);
    }

    private static RequestException Unexpected(TransactRequest step) => new(
        ErrorCodes.InvalidRequest,
        step.StepCase == TransactRequest.StepOneofCase.Begin
            ? "The transaction has begun already. Nothing was done; it goes on."
            : "The step is empty: execute, commit or rollback is wanted. Nothing was done; the transaction goes on.");
}
