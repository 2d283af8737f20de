using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>Whole results for <c>Execute</c>, bounded by what a client accepts as one message.</summary>
public static class ResultCollector
{
    /// <summary>Runs a read to its end.</summary>
    /// <param name="read">Not pulled from yet. The caller disposes it.</param>
    /// <param name="maxBytes">Most bytes of all results together, as they are on the wire.</param>
    /// <exception cref="RequestException">A statement failed, or RESULT_TOO_LARGE.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public static List<Result> Collect(PreparedRead read, int maxBytes = SqlRequest.DefaultMaxResultBytes) => read.ReadAll(maxBytes);
}
