using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ReplicatedSqlite.Grpc.Server;

/// <summary>Maps rpcs to handlers.</summary>
/// <remarks>
/// A handler ends its call with another status by throwing <see cref="RpcException"/> or <see cref="Protocol.RequestException"/>; anything else it throws is
/// logged and answered as INTERNAL with a neutral text. Handlers run concurrently, each call on its own.
/// </remarks>
public sealed class GrpcServices
{
    private readonly IEndpointRouteBuilder _endpoints;
    private readonly GrpcServerOptions _options;
    private readonly ILogger _logger;

    internal GrpcServices(IEndpointRouteBuilder endpoints, GrpcServerOptions options)
    {
        _endpoints = endpoints;
        _options = options;
        _logger = endpoints.ServiceProvider.GetService<ILoggerFactory>()?.CreateLogger<GrpcServices>() ?? NullLogger<GrpcServices>.Instance;
    }

    /// <summary>What ends the calls of these services when the server stops.</summary>
    public CallDrain Drain { get; } = new();

    /// <summary>The way to the handlers for requests that came by another protocol.</summary>
    public LocalCalls Local => new(_options, Drain);

    /// <summary>One request, one response.</summary>
    public GrpcServices MapUnary<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<TRequest, ServerCallContext, ValueTask<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Map(method, MethodKind.Unary, new UnaryEndpoint<TRequest, TResponse>(method, handler, _options, Drain, _logger).HandleAsync);
    }

    /// <summary>One request, a stream of responses.</summary>
    public GrpcServices MapServerStreaming<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<TRequest, IResponseWriter<TResponse>, ServerCallContext, ValueTask> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Map(method, MethodKind.ServerStreaming, new StreamingEndpoint<TRequest, TResponse>(
            method,
            async (requests, responses, context) => await handler(await requests.ReadSingleAsync(), responses, context),
            _options,
            Drain,
            _logger).HandleAsync);
    }

    /// <summary>A stream of requests, one response. The requests can be enumerated once; a handler may return before their end.</summary>
    public GrpcServices MapClientStreaming<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<IAsyncEnumerable<TRequest>, ServerCallContext, ValueTask<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Map(method, MethodKind.ClientStreaming, new StreamingEndpoint<TRequest, TResponse>(
            method,
            async (requests, responses, context) => responses.WriteLast(await handler(requests, context)),
            _options,
            Drain,
            _logger).HandleAsync);
    }

    /// <summary>Streams both ways. The requests can be enumerated once; a handler may return before their end.</summary>
    public GrpcServices MapDuplex<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, Func<IAsyncEnumerable<TRequest>, IResponseWriter<TResponse>, ServerCallContext, ValueTask> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Map(method, MethodKind.Duplex, new StreamingEndpoint<TRequest, TResponse>(
            method, (requests, responses, context) => handler(requests, responses, context), _options, Drain, _logger).HandleAsync);
    }

    private GrpcServices Map<TRequest, TResponse>(GrpcMethod<TRequest, TResponse> method, MethodKind kind, RequestDelegate handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        if (method.Kind != kind)
            throw new ArgumentException($"{method} is {method.Kind}, but it was mapped as {kind}.", nameof(method));
        _endpoints.MapPost(method.FullName, handler);
        return this;
    }
}
