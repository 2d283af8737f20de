using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>The responses of a call, in order, once. Reading at the pace of the consumer: what is not read holds the server back.</summary>
/// <remarks>The enumeration ends when the server ended with OK, and throws <see cref="RpcException"/> for any other status. Disposing cancels the call.</remarks>
public sealed class ServerStream<TResponse> : IAsyncEnumerable<TResponse>, IAsyncDisposable
    where TResponse : class, IMessage<TResponse>, new()
{
    private readonly StreamingCall<TResponse> _call;
    private int _enumerated;

    internal ServerStream(StreamingCall<TResponse> call) => _call = call;

    /// <summary>Metadata that came with the status; empty until the enumeration has ended.</summary>
    public Metadata Trailers => _call.Trailers;

    /// <summary>Metadata before the first response. Completes when the server has sent it.</summary>
    public Task<Metadata> ReadHeadersAsync() => _call.ReadHeadersAsync();

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The stream was enumerated before.</exception>
    public IAsyncEnumerator<TResponse> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _enumerated, 1) != 0)
            throw new InvalidOperationException("The responses of a call can be enumerated once only.");
        return new ResponseEnumerator<TResponse>(_call, cancellationToken);
    }

    /// <summary>Cancels the call unless it has ended.</summary>
    public ValueTask DisposeAsync() => _call.DisposeAsync();
}
