using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>A call with streams both ways. One writer and one reader may work at the same time.</summary>
public sealed class DuplexCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly RequestStreamCall<TRequest, TResponse> _call;

    internal DuplexCall(RequestStreamCall<TRequest, TResponse> call)
    {
        _call = call;
        Responses = new ServerStream<TResponse>(call.Responses);
    }

    /// <summary>The responses, in order, once.</summary>
    public ServerStream<TResponse> Responses { get; }

    /// <summary>Metadata that came with the status; empty until the responses have ended.</summary>
    public Metadata Trailers => Responses.Trailers;

    /// <summary>Sends one request. Waits while the server does not take more; cancelling a write ends the call.</summary>
    /// <exception cref="RpcException">The call has ended; why is said by <see cref="Responses"/>.</exception>
    public ValueTask WriteAsync(TRequest request, CancellationToken cancellationToken = default) => _call.WriteAsync(request, cancellationToken);

    /// <summary>Tells the server that no more requests come.</summary>
    public ValueTask CompleteAsync()
    {
        _call.Complete();
        return ValueTask.CompletedTask;
    }

    /// <summary>Metadata before the first response. Completes when the server has sent it.</summary>
    public Task<Metadata> ReadHeadersAsync() => Responses.ReadHeadersAsync();

    /// <summary>Cancels the call unless it has ended.</summary>
    public ValueTask DisposeAsync() => _call.DisposeAsync();
}
