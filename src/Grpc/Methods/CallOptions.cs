namespace ReplicatedSqlite.Grpc;

/// <summary>What one call asks for beyond its request.</summary>
public sealed record CallOptions
{
    /// <summary>Longest time for the whole call, streams included. It travels to the server; over it the call fails with DEADLINE_EXCEEDED. Unset: none.</summary>
    public TimeSpan? Timeout
    {
        get;
        init
        {
            field = value;
            TimeoutText = value is { } timeout ? GrpcTimeout.Format(timeout) : null;
        }
    }

    /// <summary>Metadata to send.</summary>
    public Metadata? Headers { get; init; }

    /// <summary>Sends requests compressed, where they get smaller by it. The server must know gzip, as ours does.</summary>
    public bool Gzip { get; init; }

    /// <summary>As it is sent: options are used again for many calls.</summary>
    internal string? TimeoutText { get; private init; }
}
