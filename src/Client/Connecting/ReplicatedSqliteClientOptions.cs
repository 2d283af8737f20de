using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>How a client connects.</summary>
public sealed record ReplicatedSqliteClientOptions
{
    /// <summary>Sent as <c>authorization: Bearer …</c> with every call. Unset: none.</summary>
    public string? Token { get; init; }

    /// <summary>Longest time for a call that is answered at once (not a stream), waits included. Default 2 min.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The transport's own settings: connect timeout, keep-alive, largest message.</summary>
    public GrpcChannelOptions Channel { get; init; } = new();
}
