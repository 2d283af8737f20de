using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Router;

/// <summary>What the query service tells the operator. Event ids 5100 to 5199. SQL only without its values.</summary>
internal static partial class QueryLog
{
    [LoggerMessage(5101, LogLevel.Warning,
        "Slow: {Method} on {Database} took {DurationMs:F1} ms ({SqlMs:F1} in SQLite, {QueueMs:F1} queued, {WaitMs:F1} for its bookmark), read {RowsRead} rows, wrote {RowsWritten}, ended with {Code}: {Sql}")]
    public static partial void Slow(
        ILogger logger, string method, string database, double durationMs, double sqlMs, double queueMs, double waitMs, long rowsRead, long rowsWritten, string code, string sql);

    [LoggerMessage(5102, LogLevel.Warning, "An operator ends {Query}, a {Method} on {Database} that was {State} after {AgeMs:F0} ms: {Sql}")]
    public static partial void Killed(ILogger logger, string query, string method, string database, string state, double ageMs, string sql);
}
