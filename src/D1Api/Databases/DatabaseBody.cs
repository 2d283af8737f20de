using System.Buffers;
using System.Text.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>What <c>create</c>, <c>PUT</c> and <c>PATCH</c> are sent.</summary>
internal sealed class DatabaseBody
{
    public string Name { get; private set; } = "";

    /// <summary>Where the primary should be, e.g. <c>weur</c>. A hint: a region that the cluster does not have is no error.</summary>
    public string? LocationHint { get; private set; }

    /// <summary>Unspecified when the body does not say.</summary>
    public ReplicationMode Replication { get; private set; }

    /// <exception cref="ApiException">The body is not of that shape.</exception>
    public static DatabaseBody Read(ReadOnlySequence<byte> body) => JsonBody.ReadObject(body, new DatabaseBody(), ReadProperty);

    private static void ReadProperty(string name, ref Utf8JsonReader reader, DatabaseBody body)
    {
        switch (name)
        {
            case "name":
                body.Name = JsonBody.Text(name, ref reader);
                break;
            case "primary_location_hint":
                body.LocationHint = JsonBody.TextOrNull(name, ref reader)?.ToLowerInvariant();
                break;
            case "jurisdiction":
                JsonBody.TextOrNull(name, ref reader); // where this cluster's nodes stand is its operator's business
                break;
            case "read_replication" when reader.TokenType == JsonTokenType.StartObject:
                JsonBody.ReadObject(ref reader, body, ReadReplication);
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private static void ReadReplication(string name, ref Utf8JsonReader reader, DatabaseBody body)
    {
        if (name != "mode")
        {
            reader.Skip();
            return;
        }

        body.Replication = JsonBody.Text("read_replication.mode", ref reader) switch
        {
            "auto" => ReplicationMode.Auto,
            "disabled" => ReplicationMode.Disabled,
            var other => throw ApiException.Invalid($"Invalid property: read_replication.mode => '{other}': auto or disabled was wanted."),
        };
    }
}
