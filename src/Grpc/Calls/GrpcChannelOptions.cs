using System.Net.Security;

namespace ReplicatedSqlite.Grpc;

/// <summary>How a channel connects and what it accepts.</summary>
public sealed record GrpcChannelOptions
{
    /// <summary>Largest response message that is taken, in bytes; beyond it the call fails with RESOURCE_EXHAUSTED. Default 64 MiB.</summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Longest time to connect. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause after which a silent connection is pinged. Default 20 s.</summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Longest wait for the answer to a ping, after which the connection and its calls fail. Default 10 s.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes that a server may send on a stream before they are read. Default 2 MiB: 20 MB/s over a path of 100 ms. The handler widens it up to 16 MiB.</summary>
    public int InitialStreamWindowBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Tells servers that responses may be compressed by gzip. Default: they are not asked to; compressed ones are read in any case.</summary>
    public bool AcceptGzip { get; init; }

    /// <summary>Requests of at least this size are sent compressed by gzip, if they get smaller by it. Unset: only those of calls that ask for it (<see cref="CallOptions.Gzip"/>).</summary>
    public int? GzipRequestsFromBytes { get; init; }

    /// <summary>Metadata that goes along with every call.</summary>
    public Metadata? Headers { get; init; }

    /// <summary>
    /// How the next connection to an <c>https://</c> address is encrypted, and what it trusts and shows; asked at each connection, since certificates change. The server's name and the
    /// protocol are filled in. Unset: as the machine trusts, and without a certificate of one's own.
    /// </summary>
    public Func<SslClientAuthenticationOptions>? Tls { get; init; }

    /// <summary>Where deadlines take their time from.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Last changes to the handler before its first use, for example a socket of its own.</summary>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; init; }
}
