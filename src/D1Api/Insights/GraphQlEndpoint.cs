using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Answers the two queries that <c>wrangler d1 info</c> and <c>wrangler d1 insights</c> make of Cloudflare's analytics; it is no GraphQL server.</summary>
internal sealed class GraphQlEndpoint(INodeCalls node, UsageLog usage, RequestBodies bodies)
{
    public async Task AnswerAsync(HttpContext http)
    {
        var asked = await bodies.ReadAsync(http, Read);
        await node.GetAsync(new GetDatabaseRequest { Database = asked.DatabaseId }, http); // who may not see the database may not see what is asked of it
        http.Response.ContentType = "application/json";
        using var json = new Utf8JsonWriter(http.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteStartObject("data"u8);
        json.WriteStartObject("viewer"u8);
        json.WriteStartArray("accounts"u8);
        json.WriteStartObject();
        var sum = usage.Sum(asked.DatabaseId, asked.From, asked.To);
        WriteTotals(json, sum);
        WriteQueries(json, sum);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteTotals(Utf8JsonWriter json, UsageHour sum)
    {
        json.WriteStartArray("d1AnalyticsAdaptiveGroups"u8);
        json.WriteStartObject();
        json.WriteStartObject("sum"u8);
        json.WriteNumber("readQueries"u8, sum.ReadQueries);
        json.WriteNumber("writeQueries"u8, sum.WriteQueries);
        json.WriteNumber("rowsRead"u8, sum.RowsRead);
        json.WriteNumber("rowsWritten"u8, sum.RowsWritten);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteQueries(Utf8JsonWriter json, UsageHour sum)
    {
        json.WriteStartArray("d1QueriesAdaptiveGroups"u8);
        foreach (var (sql, query) in sum.Queries.OrderByDescending(entry => entry.Value.DurationMs))
        {
            json.WriteStartObject();
            json.WriteNumber("count"u8, query.Count);
            WriteFigures(json, "sum"u8, query, 1);
            WriteFigures(json, "avg"u8, query, query.Count);
            json.WriteStartObject("dimensions"u8);
            json.WriteString("query"u8, sql);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFigures(Utf8JsonWriter json, ReadOnlySpan<byte> name, QueryUsage query, double of)
    {
        json.WriteStartObject(name);
        json.WriteNumber("queryDurationMs"u8, query.DurationMs / of);
        json.WriteNumber("rowsRead"u8, query.RowsRead / of);
        json.WriteNumber("rowsWritten"u8, query.RowsWritten / of);
        json.WriteNumber("rowsReturned"u8, query.RowsReturned / of);
        json.WriteEndObject();
    }

    private static Filter Read(ReadOnlySequence<byte> body)
    {
        var filter = new Filter();
        JsonBody.ReadObject(body, filter, (string name, ref Utf8JsonReader reader, Filter target) =>
        {
            if (name != "variables" || reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                return;
            }

            using var variables = JsonDocument.ParseValue(ref reader);
            Read(variables.RootElement, target);
        });
        return filter;
    }

    // {"filter": {"AND": [{"datetimeHour_geq", "datetimeHour_leq", "databaseId"}]}}; what is not there limits nothing.
    private static void Read(JsonElement element, Filter filter)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                Read(item, filter);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                switch (property.Name)
                {
                    case "databaseId" when property.Value.ValueKind == JsonValueKind.String:
                        filter.DatabaseId = property.Value.GetString()!;
                        break;
                    case "datetimeHour_geq" when Time(property.Value) is { } from:
                        filter.From = from;
                        break;
                    case "datetimeHour_leq" when Time(property.Value) is { } to:
                        filter.To = to;
                        break;
                    default:
                        Read(property.Value, filter);
                        break;
                }
            }
        }
    }

    private static DateTimeOffset? Time(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private sealed class Filter
    {
        public string DatabaseId { get; set; } = "";

        public DateTimeOffset From { get; set; } = DateTimeOffset.MinValue;

        public DateTimeOffset To { get; set; } = DateTimeOffset.MaxValue;
    }
}
