using System.Text.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Writes <c>meta</c>: D1's fields, and ours beside them (<c>wait_ms</c>, <c>queue_ms</c>, <c>lag_ms</c>, <c>bookmark</c>).</summary>
internal static class MetaWriter
{
    public static void Write(Utf8JsonWriter json, Meta? meta, ExecuteResponse response)
    {
        var (served, did) = (response.Served ?? new Served(), meta ?? new Meta());
        json.WriteStartObject();
        json.WriteString("served_by"u8, served.By);
        json.WriteString("served_by_region"u8, served.Region.ToUpperInvariant());
        json.WriteString("served_by_colo"u8, served.Region.ToUpperInvariant());
        json.WriteBoolean("served_by_primary"u8, served.Primary);
        json.WriteStartObject("timings"u8);
        json.WriteNumber("sql_duration_ms"u8, did.SqlDurationMs);
        json.WriteEndObject();
        json.WriteNumber("duration"u8, did.SqlDurationMs);
        json.WriteNumber("changes"u8, did.Changes);
        json.WriteNumber("last_row_id"u8, did.LastRowId);
        json.WriteBoolean("changed_db"u8, did.ChangedDb);
        json.WriteNumber("size_after"u8, did.SizeAfter);
        if (did.HasRowsRead)
        {
            json.WriteNumber("rows_read"u8, did.RowsRead);
        }

        if (did.HasRowsWritten)
        {
            json.WriteNumber("rows_written"u8, did.RowsWritten);
        }

        json.WriteNumber("total_attempts"u8, Math.Max(1, served.TotalAttempts));
        json.WriteNumber("wait_ms"u8, served.WaitMs);
        json.WriteNumber("queue_ms"u8, served.QueueMs);
        json.WriteNumber("lag_ms"u8, served.LagMs);
        json.WriteString("bookmark"u8, response.Bookmark);
        json.WriteEndObject();
    }
}
