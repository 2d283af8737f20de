namespace ReplicatedSqlite.Grpc.Server;

/// <summary>What a server accepts.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>Largest request message, in bytes. Default 16 MiB.</summary>
    public int MaxRequestBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Responses of at least this size are sent in gzip to clients that accept it, if they get smaller by it. Unset: none are. Default 16 KiB: below it a response fits into a connection's first packets and gzip would save no round trip.</summary>
    public int? GzipResponsesFromBytes { get; init; } = 16 * 1024;

    /// <summary>Who may call what. Unset: everybody everything.</summary>
    public ICallGuard? Guard { get; init; }

    /// <summary>Where deadlines take their time from.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
