using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Sqlite;

/// <summary>What a read on one copy came to.</summary>
/// <param name="Kind">Rows, an error, or not a read at all.</param>
/// <param name="Mark">The copy's position at or after what was read, or what the error was computed from.</param>
/// <param name="Results">For <see cref="ReadOutcomeKind.Rows"/>.</param>
/// <param name="Error">For <see cref="ReadOutcomeKind.Failed"/>; an answer like any other, so it passes the same gate.</param>
/// <param name="QueueMs">Wait for a connection and a thread.</param>
public readonly record struct ReadOutcome<TMark>(ReadOutcomeKind Kind, TMark Mark, List<Result>? Results, RequestException? Error, double QueueMs);

/// <summary>Kinds of <see cref="ReadOutcome{TMark}"/>.</summary>
public enum ReadOutcomeKind
{
    /// <summary>All statements ran.</summary>
    Rows,

    /// <summary>A statement failed.</summary>
    Failed,

    /// <summary>A statement writes: nothing was run, the request goes to the writer.</summary>
    Writes,
}
