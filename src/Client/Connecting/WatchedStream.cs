using Google.Protobuf;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>The responses of a call, watched while they are waited for: a node that hangs ends a stream that only reads.</summary>
internal sealed class WatchedStream<TResponse> : IAsyncEnumerator<TResponse>
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly NodeEndpoint _node;
    private readonly Leaving _leaving;
    private readonly IAsyncEnumerator<TResponse> _responses;

    public WatchedStream(NodeEndpoint node, ServerStream<TResponse> responses, bool mayLeave, CancellationToken cancellationToken)
    {
        _node = node;
        _leaving = Leaving.Of(node, mayLeave, cancellationToken);
        _responses = responses.GetAsyncEnumerator(_leaving.Token);
    }

    public TResponse Current => _responses.Current;

    public ValueTask<bool> MoveNextAsync()
    {
        var next = _responses.MoveNextAsync();
        return next.IsCompletedSuccessfully ? next : WaitAsync(next);
    }

    public async ValueTask DisposeAsync()
    {
        await _responses.DisposeAsync().ConfigureAwait(false);
        _leaving.Dispose();
    }

    private async ValueTask<bool> WaitAsync(ValueTask<bool> next)
    {
        _node.Enter();
        var answered = false;
        try
        {
            var more = await next.ConfigureAwait(false);
            answered = true;
            return more;
        }
        catch (RpcException e)
        {
            answered = e.Origin == RpcFailureOrigin.Server;
            throw;
        }
        catch (OperationCanceledException) when (_leaving.HasHung)
        {
            throw Leaving.Hangs(_node);
        }
        finally
        {
            _node.Leave(answered);
        }
    }
}
