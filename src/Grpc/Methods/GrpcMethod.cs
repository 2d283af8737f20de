using Google.Protobuf;

namespace ReplicatedSqlite.Grpc;

/// <summary>One rpc of a service: its name and its messages. Client and server share the same instance.</summary>
/// <typeparam name="TRequest">The generated request message.</typeparam>
/// <typeparam name="TResponse">The generated response message.</typeparam>
/// <param name="service">The full name of the service, for example <c>replicatedsqlite.v1.Query</c>.</param>
/// <param name="name">The rpc's name, for example <c>Execute</c>.</param>
/// <param name="kind">Which sides stream.</param>
public sealed class GrpcMethod<TRequest, TResponse>(string service, string name, MethodKind kind)
    where TRequest : class, IMessage<TRequest>, new()
    where TResponse : class, IMessage<TResponse>, new()
{
    /// <summary>The full name of the service.</summary>
    public string Service { get; } = service;

    /// <summary>The rpc's name within its service.</summary>
    public string Name { get; } = name;

    /// <summary>Which sides stream.</summary>
    public MethodKind Kind { get; } = kind;

    /// <summary>The path of the HTTP/2 request: <c>/package.Service/Name</c>.</summary>
    public string FullName { get; } = $"/{service}/{name}";

    /// <summary>
    /// Requests that cannot be understood (text that is not UTF-8, bytes that are no message, too large) are answered as the public
    /// contract says: with a <c>SqlError</c> in the details, and as the caller's mistake rather than as <c>INTERNAL</c>.
    /// </summary>
    public bool ReportsSqlErrors { get; init; }

    /// <summary>A stream that nobody expects to end by itself: a server that stops ends it at once, where others are given time.</summary>
    public bool IsEndless { get; init; }

    /// <summary>A unary call that is answered while the server stops as well.</summary>
    public bool IsServedWhileStopping { get; init; }

    /// <summary>Reads requests.</summary>
    public MessageParser<TRequest> RequestParser { get; } = ParserOf<TRequest>();

    /// <summary>Reads responses.</summary>
    public MessageParser<TResponse> ResponseParser { get; } = ParserOf<TResponse>();

    /// <inheritdoc/>
    public override string ToString() => FullName;

    // The generated parser creates its message by a plain constructor call, where `new T()` would go through the activator.
    private static MessageParser<T> ParserOf<T>()
        where T : class, IMessage<T>, new() => (MessageParser<T>)new T().Descriptor.Parser;
}
