namespace ReplicatedSqlite.Cluster;

/// <summary>A database's record as JSON, as it is kept wherever the catalogue is. Fields are added, never renamed.</summary>
public static class DatabaseRecordText
{
    /// <summary>Writes it.</summary>
    public static string Encode(DatabaseRecord database)
    {
        ArgumentNullException.ThrowIfNull(database);
        return StoredDatabase.EncodeText(database);
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="System.Text.Json.JsonException">It is no record.</exception>
    public static DatabaseRecord Decode(string json) => StoredDatabase.Decode(json);
}
