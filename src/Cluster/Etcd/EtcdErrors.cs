using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>No endpoint of etcd gave an answer in time.</summary>
internal sealed class EtcdUnavailableException(string message, bool mayBeDone, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it may have been carried out all the same.</summary>
    public bool MayBeDone { get; } = mayBeDone;
}

/// <summary>etcd answered, with a refusal.</summary>
internal sealed class EtcdRefusedException(int code, string message) : Exception(message)
{
    /// <summary>gRPC's status code.</summary>
    public int Code { get; } = code;

    /// <summary>What was asked for is older than what etcd still has.</summary>
    public bool IsCompacted => Message.Contains("compacted", StringComparison.Ordinal);

    /// <summary>etcd does not know of revisions that it had: it is an older one.</summary>
    public bool IsFutureRevision => Message.Contains("future revision", StringComparison.Ordinal);
}

/// <summary>etcd is not the one that this node knew, or everybody was told to leave it alone.</summary>
internal sealed class EtcdDistrustedException(string message) : Exception(message);

/// <summary>What is mirrored of etcd cannot be followed any further: it is read anew.</summary>
internal sealed class EtcdRejoinException(string message) : Exception(message);

/// <summary>What goes wrong with etcd, in the contract's words.</summary>
internal static class EtcdErrors
{
    /// <summary>For a change that is not known to have failed.</summary>
    public static RequestException Unknown(Exception reason) => new(
        new SqlError
        {
            Code = ErrorCodes.WriteOutcomeUnknown, StatementIndex = -1, SqlOffset = -1, CommitState = CommitState.Unknown, Retryable = false,
        },
        $"The control plane did not say in time what became of this change: {reason.Message} It may have been carried out. Look, and repeat it if it was not.");

    /// <summary>For what was not done, or does no harm if it was.</summary>
    public static RequestException Unavailable(Exception reason) => new(
        ErrorCodes.NoPrimary,
        $"The control plane cannot be used just now: {reason.Message} Databases that are led go on. Nothing was done; try again.");

    public static RequestException Busy(DatabaseId id) => new(
        ErrorCodes.NoPrimary, $"The catalogue's record of {id} was changed by others all the time. Nothing was done; try again.");
}
