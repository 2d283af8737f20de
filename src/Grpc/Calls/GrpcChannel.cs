using System.Collections.Concurrent;
using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>Calls the gRPC services at one address. Thread-safe; connections are made when they are needed and shared by all calls.</summary>
/// <remarks>
/// A call that fails throws <see cref="RpcException"/>; one whose token the caller cancelled throws <see cref="OperationCanceledException"/>.
/// There are no retries here: <see cref="RpcException.Origin"/> says what is safe to retry.
/// </remarks>
public sealed class GrpcChannel : IAsyncDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly OpenConnections _connections;
    private readonly ConcurrentDictionary<string, Uri> _uris = new(StringComparer.Ordinal); // one per rpc, so bounded by the contract

    /// <summary>A channel to an address such as <c>http://127.0.0.1:7101</c> (HTTP/2 without TLS) or <c>https://…</c>. Connects at the first call.</summary>
    public GrpcChannel(Uri address, GrpcChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{address}' is no address of a gRPC server; http://host:port or https://host:port is wanted.", nameof(address));
        Address = address;
        Options = options ?? new GrpcChannelOptions();
        _connections = new OpenConnections(Options.Tls);
        _invoker = new HttpMessageInvoker(CreateHandler(Options, _connections));
    }

    /// <summary>The server's address.</summary>
    public Uri Address { get; }

    /// <summary>What the channel was made with.</summary>
    public GrpcChannelOptions Options { get; }

    /// <summary>One request, one response.</summary>
    public Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, CallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        InvokeAsync(method, request, options, cancellationToken).AsTask();

    /// <summary>As <see cref="CallAsync{TRequest, TResponse}(GrpcMethod{TRequest, TResponse}, TRequest, CallOptions, CancellationToken)"/>, without a task of its own: to be awaited once.</summary>
    public ValueTask<TResponse> InvokeAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, CallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() =>
        UnaryCall.SendAsync(this, method, request, options, null, cancellationToken);

    /// <summary>One request, one response, with the metadata that came along.</summary>
    public async Task<GrpcResponse<TResponse>> CallWithMetadataAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, CallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var received = new ReceivedMetadata();
        var message = await UnaryCall.SendAsync(this, method, request, options, received, cancellationToken).ConfigureAwait(false);
        return new GrpcResponse<TResponse>(message, received.Headers, received.Trailers);
    }

    /// <summary>One request, a stream of responses. The call starts at once; disposing the stream cancels it.</summary>
    public ServerStream<TResponse> OpenServerStream<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, CallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(request);
        var frame = RequestFrame.Serialize(request, GzipFromBytes(options));
        var content = new FramedContent(frame);
        return new ServerStream<TResponse>(
            new StreamingCall<TResponse>(this, method.FullName, method.ResponseParser, content, () => content.WasTaken, RequestFrame.IsCompressed(frame), options, cancellationToken));
    }

    /// <summary>A stream of requests, one response.</summary>
    public ClientStreamCall<TRequest, TResponse> OpenClientStream<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, CallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(method);
        return new ClientStreamCall<TRequest, TResponse>(new RequestStreamCall<TRequest, TResponse>(this, method, options, cancellationToken));
    }

    /// <summary>Sends all the requests and gives the one response. The server may answer before it has taken them all.</summary>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, IAsyncEnumerable<TRequest> requests, CallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(requests);
        var call = OpenClientStream(method, options, cancellationToken);
        await using (call.ConfigureAwait(false))
        {
            try
            {
                await foreach (var request in requests.WithCancellation(cancellationToken).ConfigureAwait(false))
                    await call.WriteAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException)
            {
                // The server has ended the call; its own status, read below, says why.
            }

            return await call.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Streams both ways. The call starts at once; disposing it cancels it.</summary>
    public DuplexCall<TRequest, TResponse> OpenDuplex<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, CallOptions? options = null, CancellationToken cancellationToken = default)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(method);
        return new DuplexCall<TRequest, TResponse>(new RequestStreamCall<TRequest, TResponse>(this, method, options, cancellationToken));
    }

    /// <summary>Closes the connections; calls in flight fail.</summary>
    public ValueTask DisposeAsync()
    {
        _invoker.Dispose();
        _connections.Close(); // the handler alone would let calls in flight run on
        return ValueTask.CompletedTask;
    }

    /// <summary>The size from which a call's requests are compressed.</summary>
    internal int GzipFromBytes(CallOptions? options) => options is { Gzip: true } ? 0 : Options.GzipRequestsFromBytes ?? int.MaxValue;

    internal Task<HttpResponseMessage> SendAsync(string method, HttpContent content, bool isGzip, CallOptions? options, CancellationToken cancellationToken)
    {
        var uri = _uris.GetOrAdd(method, static (path, address) => new Uri(address, path), Address);
        var message = RequestHead.Create(uri, content, Options, isGzip, options);
        return _invoker.SendAsync(message, cancellationToken);
    }

    private static SocketsHttpHandler CreateHandler(GrpcChannelOptions options, OpenConnections connections)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true, // another connection when one has no stream left
            ConnectCallback = connections.ConnectAsync,
            ConnectTimeout = options.ConnectTimeout,
            InitialHttp2StreamWindowSize = options.InitialStreamWindowBytes,
            KeepAlivePingDelay = options.KeepAlivePingDelay,
            KeepAlivePingTimeout = options.KeepAlivePingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always, // an idle connection that died is found before the next call needs it
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            ActivityHeadersPropagator = null, // nobody reads trace headers, and looking for them costs every call
        };
        options.ConfigureHandler?.Invoke(handler);
        return handler;
    }
}
