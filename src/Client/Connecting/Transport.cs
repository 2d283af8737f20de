using System.Runtime.CompilerServices;
using Google.Protobuf;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>Sends calls to the nearest healthy node, and again where that does no harm (<see cref="RetryState"/>). Thread-safe.</summary>
internal sealed class Transport : IAsyncDisposable
{
    private readonly EndpointSet _endpoints;
    private readonly ReplicatedSqliteClientOptions _options;
    private CallOptions _lastOptions = new();

    public Transport(IReadOnlyList<Uri> endpoints, ReplicatedSqliteClientOptions options)
    {
        if (endpoints.Count == 0) throw new ArgumentException("At least one endpoint is needed.", nameof(endpoints));
        ClientTls.CheckToken(endpoints, options);
        _options = options with { Channel = ClientTls.ChannelOptions(options) };
        Log = ClientLog.From(options.LoggerFactory);
        _endpoints = new EndpointSet(endpoints, _options);
    }

    /// <summary>Where the next call would go.</summary>
    public Uri Nearest => _endpoints.Pick().Address;

    public ClientLog? Log { get; }

    public TimeProvider Time => _options.Channel.TimeProvider;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, CallNature nature, TimeSpan? timeout, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var call = Options(timeout ?? _options.CallTimeout);
        await _endpoints.ReadyAsync(cancellationToken).ConfigureAwait(false);
        var retries = new RetryState(_options, _endpoints, nature);
        while (true)
        {
            var node = _endpoints.Pick(retries.Avoid);
            using var leaving = Leaving.Of(node, retries.MayLeave, cancellationToken);
            RpcException failure;
            node.Enter();
            var answered = false;
            try
            {
                var response = await node.Channel.InvokeAsync(method, request, call, leaving.Token).ConfigureAwait(false);
                answered = true;
                node.Succeeded();
                ClientTelemetry.TellServer(node.Address, retries.Failures);
                return response;
            }
            catch (RpcException e)
            {
                answered = e.Origin == RpcFailureOrigin.Server;
                failure = e;
            }
            catch (OperationCanceledException) when (leaving.HasHung)
            {
                failure = Leaving.Hangs(node);
            }
            finally
            {
                node.Leave(answered);
            }

            if (retries.After(failure, node) is not { } pause) throw retries.Verdict(failure);
            await PauseAsync(pause, node, failure, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a stream and reads its first message; the rest follows from the enumerator, which the caller disposes.</summary>
    /// <returns>The enumerator standing on the first message; null for a stream without one.</returns>
    public async Task<IAsyncEnumerator<TResponse>?> OpenAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, CallNature nature, TimeSpan? timeout, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var call = Options(timeout); // a long result may stream for hours
        await _endpoints.ReadyAsync(cancellationToken).ConfigureAwait(false);
        var retries = new RetryState(_options, _endpoints, nature);
        while (true)
        {
            var node = _endpoints.Pick(retries.Avoid);
            var stream = new WatchedStream<TResponse>(node, node.Channel.OpenServerStream(method, request, call, cancellationToken), retries.MayLeave, cancellationToken);
            RpcException failure;
            try
            {
                if (await stream.MoveNextAsync().ConfigureAwait(false))
                {
                    node.Succeeded();
                    ClientTelemetry.TellServer(node.Address, retries.Failures);
                    return stream;
                }

                await stream.DisposeAsync().ConfigureAwait(false);
                return null;
            }
            catch (RpcException e)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
                failure = e;
            }
            catch
            {
                await stream.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            if (retries.After(failure, node) is not { } pause) throw retries.Verdict(failure);
            await PauseAsync(pause, node, failure, cancellationToken).ConfigureAwait(false);
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
        await _endpoints.ReadyAsync(cancellationToken).ConfigureAwait(false);
        var retries = new RetryState(_options, _endpoints, new CallNature(MayWrite: false, HasKey: false)); // to begin writes nothing
        while (true)
        {
            var node = _endpoints.Pick(retries.Avoid);
            var call = node.Channel.OpenDuplex(method, options, cancellationToken);
            var responses = new WatchedStream<TResponse>(node, call.Responses, retries.MayLeave, cancellationToken);
            RpcException failure;
            try
            {
                await WriteFirstAsync(call, first, cancellationToken).ConfigureAwait(false);
                if (await responses.MoveNextAsync().ConfigureAwait(false))
                {
                    node.Succeeded();
                    ClientTelemetry.TellServer(node.Address, retries.Failures);
                    return (call, responses);
                }

                throw DamagedAnswer.Create("the call ended without an answer to its first request", mayHaveWritten: false);
            }
            catch (RpcException e)
            {
                await responses.DisposeAsync().ConfigureAwait(false);
                await call.DisposeAsync().ConfigureAwait(false);
                failure = e;
            }
            catch
            {
                await responses.DisposeAsync().ConfigureAwait(false);
                await call.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            if (retries.After(failure, node) is not { } pause) throw retries.Verdict(failure);
            await PauseAsync(pause, node, failure, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a stream of requests to the nearest node and gives the one response. It is sent once: what was read of it cannot be read again.</summary>
    public async Task<TResponse> SendAsync<TRequest, TResponse>(GrpcMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests, CancellationToken cancellationToken)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        await _endpoints.ReadyAsync(cancellationToken).ConfigureAwait(false);
        return await _endpoints.Pick().Channel.CallAsync(method, requests, Options(null), cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => _endpoints.DisposeAsync();

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

    // Most calls have the same time as the one before.
    private CallOptions Options(TimeSpan? timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan) timeout = null;
        var last = Volatile.Read(ref _lastOptions);
        if (last.Timeout == timeout) return last;
        last = new CallOptions { Timeout = timeout };
        Volatile.Write(ref _lastOptions, last);
        return last;
    }

    private async ValueTask PauseAsync(TimeSpan pause, NodeEndpoint node, RpcException failure, CancellationToken cancellationToken)
    {
        ClientTelemetry.Retried(failure);
        Log?.Retrying(node.Address, StatusName.Of(failure.StatusCode), pause);
        if (pause > TimeSpan.Zero) await Task.Delay(pause, Time, cancellationToken).ConfigureAwait(false);
    }
}
