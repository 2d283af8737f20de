namespace ReplicatedSqlite.Grpc.Server;

/// <summary>What a server accepts.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>Largest request message, in bytes. Default 16 MiB.</summary>
    public int MaxRequestBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Responses of at least this size are compressed for clients that accept gzip. Unset: none are.</summary>
    public int? GzipResponsesFromBytes { get; init; }

    /// <summary>Where deadlines take their time from.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
