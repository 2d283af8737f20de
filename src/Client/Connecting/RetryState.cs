using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>The attempts of one call: decides after each failure whether there is another one, where, and when.</summary>
/// <remarks>
/// What certainly did nothing is made again, whatever it is. What may have been carried out is made again if it reads, or if it carries an idempotency key. Between
/// attempts lies a pause that doubles up to a second, cut by chance so that clients do not come in step, and never shorter than the server asks for.
/// </remarks>
internal struct RetryState(ReplicatedSqliteClientOptions options, EndpointSet endpoints, CallNature nature)
{
    private const double FirstPauseMs = 25;
    private const double LongestPauseMs = 1000;

    private long _started;
    private int _atOnce; // attempts made without a pause
    private int _pauses;
    private RpcException? _lost; // the first failure after which the call may have been carried out: a later refusal says nothing about that attempt

    /// <summary>Attempts that have failed.</summary>
    public int Failures { get; private set; }

    /// <summary>The node that failed last: others come first.</summary>
    public NodeEndpoint? Avoid { get; private set; }

    /// <summary>Whether the call may be told to leave a node that hangs.</summary>
    public readonly bool MayLeave => (!nature.MayWrite || nature.HasKey) && options.RetryTimeout > TimeSpan.Zero;

    /// <summary>Takes note of a failure.</summary>
    /// <returns>The pause before the next attempt; null if there is none.</returns>
    public TimeSpan? After(RpcException failure, NodeEndpoint node)
    {
        Failures++;
        Avoid = node;
        var notSent = failure.Origin == RpcFailureOrigin.NotSent;
        var error = failure.Origin == RpcFailureOrigin.Server ? failure.FindDetail<SqlError>() : null;
        if (nature.MayWrite && !notSent && error is not { CommitState: Protocol.V1.CommitState.NotCommitted }) _lost ??= failure;
        if (notSent || (failure.Origin == RpcFailureOrigin.InFlight && failure.StatusCode == StatusCode.Unavailable)) node.Failed();

        // Once round the endpoints, as nothing was sent; with one endpoint once more, for a pooled connection may have been closing.
        var time = options.Channel.TimeProvider;
        if (_started == 0) _started = time.GetTimestamp();
        if (notSent && ++_atOnce < Math.Max(2, endpoints.Count)) return TimeSpan.Zero;
        if (options.RetryTimeout <= TimeSpan.Zero || !IsWorthIt(failure, error)) return null;
        if (!IsHarmless(notSent, error)) return null;
        if (endpoints.Count > 1 && error is null && ++_atOnce < endpoints.Count) return TimeSpan.Zero; // another node may be well
        var pause = Pause();
        if (error?.RetryAfter?.ToTimeSpan() is { } asked && asked > pause) pause = asked;
        return time.GetElapsedTime(_started) + pause <= options.RetryTimeout ? pause : null;
    }

    /// <summary>What the whole call failed with, after its last attempt failed.</summary>
    public readonly RpcException Verdict(RpcException last) => _lost is null || HasLookedAtKey(last) ? last : _lost;

    // SQLite's own answers come from the writer, which looks for the key first.
    private static bool HasLookedAtKey(RpcException failure) =>
        failure.Origin == RpcFailureOrigin.Server && failure.FindDetail<SqlError>() is { CommitState: Protocol.V1.CommitState.NotCommitted } error
        && (error.Code == ErrorCodes.IdempotencyKeyReused || error.Code.StartsWith("SQLITE_", StringComparison.Ordinal));

    private static bool IsWorthIt(RpcException failure, SqlError? error) => error is not null
        ? (error.Retryable && error.Code is not (ErrorCodes.BookmarkTimeout or ErrorCodes.TransactionExpired)) || error.Code == ErrorCodes.WriteOutcomeUnknown
        : failure.StatusCode == StatusCode.Unavailable || (failure.Origin == RpcFailureOrigin.InFlight && failure.StatusCode is StatusCode.Cancelled or StatusCode.Unknown);

    private readonly bool IsHarmless(bool notSent, SqlError? error) =>
        notSent || !nature.MayWrite || nature.HasKey || error is { CommitState: Protocol.V1.CommitState.NotCommitted };

    private TimeSpan Pause()
    {
        var limit = Math.Min(FirstPauseMs * Math.Pow(2, Math.Min(_pauses++, 10)), LongestPauseMs);
        return TimeSpan.FromMilliseconds(limit * (0.5 + (options.NextChance() / 2)));
    }
}
