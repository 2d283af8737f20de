using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Primary;

/// <summary>What is said of a write whose entry was not confirmed here.</summary>
internal static class LostWrite
{
    public static RequestException Explain(ReplicatedLog log)
    {
        if (log.Failure is JournalFullException full)
        {
            // The only follower refused the entry before it took any of it, so no copy can ever confirm it.
            return new RequestException(ErrorCodes.SqliteFull, $"The disk of the primary's journal is full: {full.Message} Nothing was written.");
        }

        return new RequestException(
            new SqlError { Code = ErrorCodes.WriteOutcomeUnknown, StatementIndex = -1, SqlOffset = -1, CommitState = CommitState.Unknown },
            "This primary stopped before the write was confirmed. It may have been committed or not: with an idempotency key, GetOutcome tells; else read the data to find out.");
    }
}
