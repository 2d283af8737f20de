using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ReplicatedSqlite.D1Api;

/// <summary>What the answers of imports and exports have in common.</summary>
internal static class TransferAnswers
{
    /// <summary>Begins the object; the caller goes on and ends it.</summary>
    public static void Begin(Utf8JsonWriter json, string type, bool success, string? message = null)
    {
        json.WriteStartObject();
        json.WriteBoolean("success"u8, success);
        json.WriteString("type"u8, type);
        json.WriteStartArray("messages"u8);
        if (message is not null)
        {
            json.WriteStringValue(message);
        }

        json.WriteEndArray();
    }

    /// <summary>The work has failed. The question after it has not: the answer says so inside, as D1's does.</summary>
    public static void WriteFailure(HttpContext http, string type, TransferJob job, Exception failure)
    {
        var error = ApiError.Of(failure, job.DatabaseId);
        Answer.Write(http, json =>
        {
            Begin(json, type, success: true);
            json.WriteString("status"u8, "error");
            json.WriteString("at_bookmark"u8, job.AtBookmark);
            json.WriteString("error"u8, error.Message);
            json.WriteStartArray("errors"u8);
            json.WriteStringValue(error.Message);
            json.WriteEndArray();
            if (error.Detail is { } detail)
            {
                json.WritePropertyName("detail"u8);
                Answer.Write(json, detail, error.DetailMessage);
            }

            json.WriteEndObject();
        });
    }
}
