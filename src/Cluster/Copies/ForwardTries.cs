using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>What is done about a call to the primary that failed: what certainly did nothing is tried again, what may have been done only if doing it twice is no harm.</summary>
/// <param name="time">Clock.</param>
/// <param name="readsOnly">It writes nothing.</param>
/// <param name="isKeyed">It has an idempotency key, so that it is done once however often it comes.</param>
internal sealed class ForwardTries(TimeProvider time, bool readsOnly, bool isKeyed)
{
    /// <summary>The call as operators see it; <see langword="null"/> when nobody looks.</summary>
    public RunningQuery? Query { get; init; }

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(4); // a takeover takes one or two
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _longestPause = TimeSpan.FromMilliseconds(160);

    private readonly long _startedAt = time.GetTimestamp();
    private TimeSpan _pause = _firstPause;
    private string? _lost; // why an earlier try's outcome is not known

    /// <summary>Tries that failed.</summary>
    public int Failed { get; private set; }

    /// <summary>Where a call stands that waits for somebody to pass it on to: a write of which a try was lost may be committed, so that nobody may say it was ended.</summary>
    public RequestStage Stage => _lost is null ? RequestStage.Queued : RequestStage.Forwarded;

    /// <summary>How much patience is left.</summary>
    public TimeSpan Left => _patience - time.GetElapsedTime(_startedAt) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    /// <summary>A try failed. Returns after a pause if there is to be another.</summary>
    /// <param name="failure">How.</param>
    /// <param name="isElsewhere">By now another node leads than the one that was asked.</param>
    /// <param name="cancellationToken">Ends the pause.</param>
    /// <exception cref="RequestException">There is no other try; how the call ends.</exception>
    /// <exception cref="RpcException">The same, in the words of the one who was asked.</exception>
    public async ValueTask AgainAsync(Exception failure, bool isElsewhere, CancellationToken cancellationToken)
    {
        Failed++;
        var isLost = IsLost(failure);
        if (isLost && !readsOnly)
        {
            _lost ??= failure.Message;
        }

        if (Left == TimeSpan.Zero || !(isLost ? readsOnly || isKeyed : DidNothing(failure, isElsewhere)))
        {
            throw Explain(failure);
        }

        if (Failed == 1 && isElsewhere)
        {
            return; // there is somebody to ask, and nothing to wait for
        }

        await Task.Delay(_pause, time, cancellationToken);
        _pause = _pause * 2 < _longestPause ? _pause * 2 : _longestPause;
    }

    /// <summary>How the call ends after this failure. Whatever a later try was told: an earlier one that was lost may be on its way still.</summary>
    public Exception Explain(Exception failure) => _lost is not null ? OutcomeUnknown(_lost) : failure switch
    {
        RpcException rpc => PrimaryForwarder.Translate(rpc, readsOnly) ?? (Exception)rpc,
        PrimaryLostException when readsOnly => new RequestException(ErrorCodes.NoPrimary, $"{failure.Message} Nothing was written; try again."),
        PrimaryLostException => OutcomeUnknown(failure.Message),
        _ => failure,
    };

    /// <summary>It may have been done or not.</summary>
    public static RequestException OutcomeUnknown(string reason) => new(
        new SqlError { Code = ErrorCodes.WriteOutcomeUnknown, StatementIndex = -1, SqlOffset = -1, CommitState = CommitState.Unknown },
        $"The primary went away before it answered ({reason}). If the request writes, it may have been committed or not.");

    private static bool IsLost(Exception failure) => failure is PrimaryLostException
        || (failure is RpcException { Origin: RpcFailureOrigin.InFlight } && ErrorOf(failure) is null)
        || ErrorOf(failure)?.Code == ErrorCodes.WriteOutcomeUnknown;

    private static bool DidNothing(Exception failure, bool isElsewhere) => failure is RpcException { Origin: RpcFailureOrigin.NotSent }
        || (ErrorOf(failure) is { CommitState: CommitState.NotCommitted } error
            && (error.Code == ErrorCodes.NoPrimary || (isElsewhere && error.Code is ErrorCodes.QuorumUnavailable or ErrorCodes.CopyStale)));

    private static SqlError? ErrorOf(Exception failure) => failure switch
    {
        RequestException refused => refused.Error,
        RpcException rpc => rpc.FindDetail<SqlError>(),
        _ => null,
    };
}
