using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite;

/// <summary>What one statement did.</summary>
/// <param name="SqlDuration">Time inside SQLite.</param>
/// <param name="Changes">Rows changed, by triggers and foreign key actions too.</param>
/// <param name="LastRowId">The row id of this statement's insert, else 0.</param>
/// <param name="ChangedDatabase">Whether it wrote anything.</param>
/// <param name="SizeAfterBytes">The size of the database afterwards.</param>
/// <param name="RowsRead">Rows read, indexes included; null where the server's SQLite cannot count.</param>
/// <param name="RowsWritten">Rows written, indexes included; null where the server's SQLite cannot count.</param>
public sealed record StatementMeta(
    TimeSpan SqlDuration, long Changes, long LastRowId, bool ChangedDatabase, long SizeAfterBytes, long? RowsRead, long? RowsWritten)
{
    internal static StatementMeta From(Meta? meta) => meta is null
        ? new StatementMeta(default, 0, 0, false, 0, null, null)
        : new StatementMeta(
            TimeSpan.FromMilliseconds(meta.SqlDurationMs),
            meta.Changes,
            meta.LastRowId,
            meta.ChangedDb,
            meta.SizeAfter,
            meta.HasRowsRead ? meta.RowsRead : null,
            meta.HasRowsWritten ? meta.RowsWritten : null);
}
