using System.Runtime.ExceptionServices;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>An interactive transaction that the primary's node carries out: its steps go there and the answers come back, each held up by whoever is slow.</summary>
internal sealed class ForwardedTransaction(GrpcChannel primary, CallOptions options, TransactCall call)
{
    private volatile bool _commits; // a commit is on its way
    private volatile ExceptionDispatchInfo? _clientFailure;

    /// <summary>A commit was sent.</summary>
    public bool Commits => _commits;

    /// <exception cref="RequestException">The primary cannot be reached, or went away.</exception>
    public async Task RunAsync(TransactRequest.Types.Begin begin, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var remote = primary.OpenDuplex(QueryMethods.Transact, options, ending.Token);
        var sending = SendAsync(remote, begin, ending);
        try
        {
            await foreach (var response in remote.Responses.WithCancellation(ending.Token))
            {
                await call.AnswerAsync(response, cancellationToken);
            }
        }
        catch (RpcException failure) when (!cancellationToken.IsCancellationRequested && Translate(failure) is { } translated)
        {
            throw translated;
        }
        catch (OperationCanceledException) when (_clientFailure is not null)
        {
            _clientFailure.Throw();
        }
        finally
        {
            await ending.CancelAsync(); // the primary has answered all it will; the next step is not waited for
            await sending;
        }
    }

    private async Task SendAsync(DuplexCall<TransactRequest, TransactResponse> remote, TransactRequest.Types.Begin begin, CancellationTokenSource ending)
    {
        try
        {
            await remote.WriteAsync(new TransactRequest { Begin = begin }, ending.Token);
            while (await NextAsync(ending) is { } step)
            {
                _commits |= step.StepCase == TransactRequest.StepOneofCase.Commit;
                await remote.WriteAsync(step, ending.Token);
            }

            if (_clientFailure is null)
            {
                await remote.CompleteAsync();
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or InvalidOperationException)
        {
            // The call has ended; how, the responses say.
        }
    }

    private async Task<TransactRequest?> NextAsync(CancellationTokenSource ending)
    {
        try
        {
            return await call.NextAsync(ending.Token);
        }
#pragma warning disable CA1031 // Rethrown where the responses end: the client has gone, or sent what is no step, and the primary is to roll back.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _clientFailure = ExceptionDispatchInfo.Capture(e);
            await ending.CancelAsync();
            return null;
        }
    }

    private RequestException? Translate(RpcException failure) => failure.Origin == RpcFailureOrigin.InFlight && !_commits && failure.FindDetail<SqlError>() is null
        ? new RequestException(ErrorCodes.NoPrimary, $"The primary went away ({failure.Detail}) and rolled the transaction back. Nothing was done; begin again.")
        : PrimaryForwarder.Translate(failure, readsOnly: false);
}
