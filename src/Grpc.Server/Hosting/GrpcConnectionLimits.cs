namespace ReplicatedSqlite.Grpc.Server;

/// <summary>What the connections of a gRPC port may take, and when they are taken for dead.</summary>
public sealed record GrpcConnectionLimits
{
    /// <summary>Connections to one port; those beyond have their calls refused for a second and are told to go away (ENHANCE_YOUR_CALM). Default 10,000.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Calls at once on one connection. Clients are told the number and wait, or open another connection; who does not heed it has its stream refused. Default 10,000: subscriptions and parked reads hold a stream each.</summary>
    public int MaxStreamsPerConnection { get; init; } = 10_000;

    /// <summary>Bytes of one call's headers, names and values. Clients are told the number. Default 32 KiB.</summary>
    public int MaxHeaderBytes { get; init; } = 32 * 1024;

    /// <summary>Pause after which a silent connection is pinged, at least 1 s. Default 20 s.</summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Longest wait for the answer to a ping, at least 1 s, after which the connection is closed and its calls are cancelled. Default 10 s.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
