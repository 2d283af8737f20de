using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite;

/// <summary>How a client connects.</summary>
public sealed record ReplicatedSqliteClientOptions
{
    private readonly Random _random = new();

    /// <summary>Sent as <c>authorization: Bearer …</c> with every call. Unset: none.</summary>
    public string? Token { get; init; }

    /// <summary>Sends <see cref="Token"/> also to endpoints beyond this machine that are not encrypted. Default off: such a client is refused. For networks that nobody else reaches.</summary>
    public bool AllowPlaintextToken { get; init; }

    /// <summary>A PEM file with the authorities that sign the certificates of <c>https://</c> endpoints. Unset: those that the machine trusts.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>Longest time for a call that is answered at once (not a stream), waits included. Default 2 min.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long a failed call is made again: one that did nothing, that only reads, or that carries an idempotency key. Default zero: failures are reported at once, but for a
    /// call that could not be sent, which is tried at the other endpoints.
    /// </summary>
    public TimeSpan RetryTimeout { get; init; }

    /// <summary>The transport's own settings: connect timeout, keep-alive, largest message.</summary>
    public GrpcChannelOptions Channel { get; init; } = new();

    /// <summary>Where the client logs: operations at Debug, attempts made again at Information. Unset: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>A number from 0 to 1, for the pauses between attempts.</summary>
    internal double NextChance()
    {
        lock (_random) return _random.NextDouble();
    }
}
