using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary;

/// <summary>What is said of an answer whose entry was not confirmed here.</summary>
internal static class LostWrite
{
    /// <summary>Of a write: nobody here knows what becomes of it.</summary>
    public static RequestException Explain(ReplicatedLog log) => new(
        new SqlError { Code = ErrorCodes.WriteOutcomeUnknown, StatementIndex = -1, SqlOffset = -1, CommitState = CommitState.Unknown },
        $"{Reason(log)} before the write was confirmed. It may have been committed or not: with an idempotency key, GetOutcome tells; else read the data to find out.");

    /// <summary>Of rows or an error computed from what may never be confirmed: not shown, and nothing was done.</summary>
    public static RequestException ExplainRead(ReplicatedLog log) => log.Refusal is { } missing
        ? new(ErrorCodes.QuorumUnavailable, $"What was read is not confirmed: {missing} Nothing was written; try again, or read with \"first-unconstrained\" elsewhere.")
        : new(ErrorCodes.NoPrimary, "This primary stopped before what was read was confirmed. Nothing was written; try again.");

    private static string Reason(ReplicatedLog log) => log.Refusal is { } missing ? $"Followers went out of reach ({missing})" : "This primary stopped";
}
