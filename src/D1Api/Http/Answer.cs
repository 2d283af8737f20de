using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api;

/// <summary>Writes the envelope that every answer of the API has. Clients look at it, or at the HTTP status, and at nothing else: both always say the same.</summary>
internal static class Answer
{
    private const string ContentType = "application/json";

    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Answers with a result.</summary>
    /// <param name="http">The request.</param>
    /// <param name="writeResult">Writes the value of <c>result</c>.</param>
    /// <param name="writeInfo">Writes the value of <c>result_info</c>, of a list.</param>
    public static void Write(HttpContext http, Action<Utf8JsonWriter> writeResult, Action<Utf8JsonWriter>? writeInfo = null)
    {
        http.Response.ContentType = ContentType;
        using var json = new Utf8JsonWriter(http.Response.BodyWriter, _options);
        json.WriteStartObject();
        json.WriteBoolean("success"u8, true);
        json.WriteStartArray("errors"u8);
        json.WriteEndArray();
        json.WriteStartArray("messages"u8);
        json.WriteEndArray();
        json.WritePropertyName("result"u8);
        writeResult(json);
        if (writeInfo is not null)
        {
            json.WritePropertyName("result_info"u8);
            writeInfo(json);
        }

        json.WriteEndObject();
    }

    /// <summary>Answers with an error.</summary>
    public static void Write(HttpContext http, ApiError error)
    {
        var response = http.Response;
        response.StatusCode = error.Status;
        response.ContentType = ContentType;
        if (error.ShouldRetry is { } retry)
        {
            response.Headers["x-should-retry"] = retry ? "true" : "false";
        }

        if (error.Detail?.RetryAfter is { } after)
        {
            response.Headers["retry-after-ms"] = ((long)Math.Ceiling(after.ToTimeSpan().TotalMilliseconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        using var json = new Utf8JsonWriter(response.BodyWriter, _options);
        json.WriteStartObject();
        json.WriteBoolean("success"u8, false);
        json.WriteStartArray("errors"u8);
        json.WriteStartObject();
        json.WriteNumber("code"u8, error.Code);
        json.WriteString("message"u8, error.Message);
        if (error.Detail is { } detail)
        {
            json.WritePropertyName("detail"u8);
            Write(json, detail, error.DetailMessage);
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartArray("messages"u8);
        json.WriteEndArray();
        json.WriteNull("result"u8);
        json.WriteEndObject();
    }

    /// <summary>Writes the contract's error.</summary>
    public static void Write(Utf8JsonWriter json, SqlError error, string? message)
    {
        json.WriteStartObject();
        json.WriteString("code"u8, error.Code);
        json.WriteString("message"u8, message ?? "");
        json.WriteNumber("statement_index"u8, error.StatementIndex);
        json.WriteNumber("sql_offset"u8, error.SqlOffset);
        json.WriteString("commit_state"u8, error.CommitState switch
        {
            CommitState.NotCommitted => "NOT_COMMITTED",
            CommitState.Committed => "COMMITTED",
            _ => "UNKNOWN",
        });
        json.WriteBoolean("retryable"u8, error.Retryable);
        json.WriteNumber("sqlite_code"u8, error.SqliteCode);
        json.WriteString("bookmark"u8, error.Bookmark);
        json.WriteEndObject();
    }
}
