using Google.Protobuf;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Grpc;

/// <summary>A call with many requests and one response.</summary>
public sealed class ClientStreamCall<TRequest, TResponse> : IAsyncDisposable
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly RequestStreamCall<TRequest, TResponse> _call;

    internal ClientStreamCall(RequestStreamCall<TRequest, TResponse> call) => _call = call;

    /// <summary>Metadata that came with the status; empty until the call has ended.</summary>
    public Metadata Trailers => _call.Responses.Trailers;

    /// <summary>Sends one request. Waits while the server does not take more; cancelling a write ends the call.</summary>
    /// <exception cref="RpcException">The call has ended; <see cref="CompleteAsync"/> says why.</exception>
    public ValueTask WriteAsync(TRequest request, CancellationToken cancellationToken = default) => _call.WriteAsync(request, cancellationToken);

    /// <summary>Ends the requests and gives the response. To be called once.</summary>
    public async Task<TResponse> CompleteAsync()
    {
        _call.Complete();
        var responses = _call.Responses;
        if (!await responses.MoveNextAsync().ConfigureAwait(false))
            throw new RpcException(StatusCode.Unimplemented, $"{_call.Method} ended with OK, but the server sent no response.");
        var response = responses.Current;
        return await responses.MoveNextAsync().ConfigureAwait(false)
            ? throw new RpcException(StatusCode.Unimplemented, $"{_call.Method} has one response, but the server sent more.")
            : response;
    }

    /// <summary>Cancels the call unless it has ended.</summary>
    public ValueTask DisposeAsync() => _call.DisposeAsync();
}
