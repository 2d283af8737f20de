namespace ReplicatedSqlite.Grpc;

/// <summary>Which sides of a call send more than one message.</summary>
public enum MethodKind
{
    /// <summary>One request, one response.</summary>
    Unary,

    /// <summary>One request, a stream of responses.</summary>
    ServerStreaming,

    /// <summary>A stream of requests, one response.</summary>
    ClientStreaming,

    /// <summary>Streams both ways, each at its own pace.</summary>
    Duplex,
}
