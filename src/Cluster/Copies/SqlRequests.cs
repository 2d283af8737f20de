using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Cluster;

/// <summary>The engine's request in a call of the contract.</summary>
public static class SqlRequests
{
    /// <summary>The longest time that SQL may run, whatever the caller asks for.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromSeconds(30);

    /// <summary>What a write that is streamed may collect before its rows flow.</summary>
    public const int MaxStreamedWriteBytes = 64 << 20;

    /// <summary>From an Execute.</summary>
    public static SqlRequest From(ExecuteRequest request, CancellationToken cancellationToken, IMemberSteps? steps = null, RequestProgress? progress = null) => new(request.Statements, request.Script)
    {
        Timeout = TimeoutOf(request.Timeout), Cancellation = cancellationToken, Steps = steps, Progress = progress,
    };

    /// <summary>From a Stream.</summary>
    public static SqlRequest From(StreamRequest request, CancellationToken cancellationToken, IMemberSteps? steps = null, RequestProgress? progress = null) => new(request.Statements, request.Script)
    {
        Timeout = TimeoutOf(request.Timeout),
        BatchRows = request.BatchRows,
        MaxResultBytes = MaxStreamedWriteBytes,
        AsParts = true,
        Cancellation = cancellationToken,
        Steps = steps,
        Progress = progress,
    };

    /// <summary>From a step of an interactive transaction. The end of its lease cancels it.</summary>
    public static SqlRequest From(TransactRequest.Types.Statements step, CancellationToken cancellationToken) => new(step.Statements_, step.Script)
    {
        Timeout = TimeoutOf(step.Timeout),
        BatchRows = step.BatchRows,
        MaxResultBytes = MaxStreamedWriteBytes,
        AsParts = true,
        Cancellation = cancellationToken,
    };

    private static TimeSpan TimeoutOf(Duration? asked)
    {
        if (asked is null)
        {
            return MaxTimeout;
        }

        var timeout = Durations.Read(asked, "timeout");
        if (timeout <= TimeSpan.Zero)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"timeout is {timeout.TotalSeconds} s; more than nothing is wanted.");
        }

        return timeout < MaxTimeout ? timeout : MaxTimeout;
    }
}
