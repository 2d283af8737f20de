using System.Text.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Writes a database as D1 describes it.</summary>
internal static class DatabaseWriter
{
    private static readonly string[] _brief = ["uuid", "name", "created_at", "version", "jurisdiction"];

    /// <summary>All that is known.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="database">What.</param>
    /// <param name="tables">How many it has; <see langword="null"/> where that was not asked.</param>
    /// <param name="fields">Those to write; empty for all.</param>
    public static void Write(Utf8JsonWriter json, Database database, long? tables, IReadOnlyCollection<string> fields)
    {
        json.WriteStartObject();
        foreach (var (name, write) in Fields(database, tables))
        {
            if (fields.Count == 0 || fields.Contains(name))
            {
                json.WritePropertyName(name);
                write(json);
            }
        }

        json.WriteEndObject();
    }

    /// <summary>As an entry of a list.</summary>
    public static void WriteBrief(Utf8JsonWriter json, Database database) => Write(json, database, null, _brief);

    private static IEnumerable<(string Name, Action<Utf8JsonWriter> Write)> Fields(Database database, long? tables)
    {
        yield return ("uuid", json => json.WriteStringValue(database.Id));
        yield return ("name", json => json.WriteStringValue(database.Name));
        yield return ("created_at", json => json.WriteStringValue(database.CreatedAt.ToDateTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture)));
        yield return ("version", json => json.WriteStringValue("production"));
        if (tables is { } count)
        {
            yield return ("num_tables", json => json.WriteNumberValue(count));
        }

        yield return ("file_size", json => json.WriteNumberValue(database.SizeBytes));
        yield return ("running_in_region", json => json.WriteStringValue(database.PrimaryRegion.ToUpperInvariant()));
        yield return ("created_in_region", json => json.WriteStringValue(database.PrimaryRegion.ToUpperInvariant()));
        yield return ("jurisdiction", json => json.WriteNullValue());
        yield return ("read_replication", json =>
        {
            json.WriteStartObject();
            json.WriteString("mode"u8, database.Replication == ReplicationMode.Disabled ? "disabled" : "auto");
            json.WriteEndObject();
        });
    }
}
