using Google.Protobuf;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>Sends calls to the endpoint that answered last, and to the next one when nothing could be sent.</summary>
/// <remarks>
/// A call that may have reached a server is never sent again: whether that is safe is for the caller to decide. One that certainly did not is tried
/// once at every endpoint (twice where there is only one: a pooled connection may have been closing).
/// </remarks>
internal sealed class Transport : IAsyncDisposable
{
    private readonly GrpcChannel[] _channels;
    private readonly ReplicatedSqliteClientOptions _options;
    private readonly Metadata? _headers;
    private int _current; // index of the endpoint to start with; any thread may move it on

    public Transport(IReadOnlyList<Uri> endpoints, ReplicatedSqliteClientOptions options)
    {
        if (endpoints.Count == 0) throw new ArgumentException("At least one endpoint is needed.", nameof(endpoints));
        _options = options;
        _channels = [.. endpoints.Select(endpoint => new GrpcChannel(endpoint, options.Channel))];
        if (options.Token is { Length: > 0 } token) _headers = new Metadata { { "authorization", "Bearer " + token } };
    }

    private int Attempts => Math.Max(2, _channels.Length);

    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, TimeSpan? timeout, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var call = Options(timeout ?? _options.CallTimeout);
        for (var attempt = 1; ; attempt++)
        {
            var index = Volatile.Read(ref _current);
            try
            {
                return await _channels[index].CallAsync(method, request, call, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e) when (e.Origin == RpcFailureOrigin.NotSent && attempt < Attempts)
            {
                MoveOnFrom(index);
            }
        }
    }

    /// <summary>Opens a stream and reads its first message; the rest follows from the enumerator, which the caller disposes.</summary>
    /// <returns>The enumerator standing on the first message; null for a stream without one.</returns>
    public async Task<IAsyncEnumerator<TResponse>?> OpenAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, TimeSpan? timeout, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var call = Options(timeout); // a long result may stream for hours
        for (var attempt = 1; ; attempt++)
        {
            var index = Volatile.Read(ref _current);
            var responses = _channels[index].OpenServerStream(method, request, call, cancellationToken).GetAsyncEnumerator(cancellationToken);
            try
            {
                if (await responses.MoveNextAsync().ConfigureAwait(false)) return responses;
                await responses.DisposeAsync().ConfigureAwait(false);
                return null;
            }
            catch (RpcException e) when (e.Origin == RpcFailureOrigin.NotSent && attempt < Attempts)
            {
                await responses.DisposeAsync().ConfigureAwait(false);
                MoveOnFrom(index);
            }
            catch
            {
                await responses.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Opens a call with streams both ways, sends its first request and reads the first response.</summary>
    /// <returns>The call, and its responses standing on the first; the caller disposes both.</returns>
    public async Task<(DuplexCall<TRequest, TResponse> Call, IAsyncEnumerator<TResponse> Responses)> OpenDuplexAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest first, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var options = Options(null);
        for (var attempt = 1; ; attempt++)
        {
            var index = Volatile.Read(ref _current);
            var call = _channels[index].OpenDuplex(method, options, cancellationToken);
            var responses = call.Responses.GetAsyncEnumerator(cancellationToken);
            try
            {
                await WriteFirstAsync(call, first, cancellationToken).ConfigureAwait(false);
                if (await responses.MoveNextAsync().ConfigureAwait(false)) return (call, responses);
                throw DamagedAnswer.Create("the call ended without an answer to its first request", mayHaveWritten: false);
            }
            catch (RpcException e) when (e.Origin == RpcFailureOrigin.NotSent && attempt < Attempts)
            {
                await call.DisposeAsync().ConfigureAwait(false);
                MoveOnFrom(index);
            }
            catch
            {
                await call.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels) await channel.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task WriteFirstAsync<TRequest, TResponse>(DuplexCall<TRequest, TResponse> call, TRequest first, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        try
        {
            await call.WriteAsync(first, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException)
        {
            // The responses say why.
        }
    }

    private CallOptions Options(TimeSpan? timeout) => new() { Timeout = timeout, Headers = _headers };

    // Of several calls that fail at the same endpoint only one moves on, else they would skip a good one.
    private void MoveOnFrom(int index) => Interlocked.CompareExchange(ref _current, (index + 1) % _channels.Length, index);
}
