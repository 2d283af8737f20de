using System.Net;
using System.Text.Json;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Reads what etcd answers instead of what was asked for.</summary>
internal static class EtcdAnswers
{
    private const int ShownCharacters = 200; // of something that is not etcd's

    public static EtcdFailure? ReadFailure(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize<EtcdFailure>(body, EtcdJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The token is unknown (etcd was started again, or it was not used for long), older than a change of users, or was not given.</summary>
    public static bool IsAboutToken(EtcdFailure failure) => failure.Code == (int)StatusCode.Unauthenticated
        || failure.Message is { } message && (message.Contains("invalid auth token", StringComparison.Ordinal)
            || message.Contains("auth store is old", StringComparison.Ordinal) || message.Contains("user name is empty", StringComparison.Ordinal));

    public static bool IsAuthenticationOff(EtcdFailure failure) => failure.Message?.Contains("authentication is not enabled", StringComparison.Ordinal) == true;

    /// <summary>The exception for an answer that is none.</summary>
    public static Exception Failed(Uri endpoint, HttpStatusCode status, byte[] body)
    {
        if (ReadFailure(body) is not { Message: { } message } failure)
        {
            var text = System.Text.Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, ShownCharacters))).Trim();
            return new EtcdUnavailableException($"{endpoint} did not answer as etcd's gateway of version 3.4 or later does: {(int)status} {text}", mayBeDone: true);
        }

        return Failed(endpoint, failure.Code ?? failure.GrpcCode ?? (int)StatusCode.Unknown, message);
    }

    /// <summary>The exception for a refusal: one that may be over in a moment, or at another member, is an absence.</summary>
    public static Exception Failed(Uri endpoint, int code, string message) => (StatusCode)code switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled =>
            new EtcdUnavailableException($"etcd at {endpoint} cannot answer: {message}", mayBeDone: true),
        StatusCode.ResourceExhausted when message.Contains("too many requests", StringComparison.Ordinal) =>
            new EtcdUnavailableException($"etcd at {endpoint} cannot answer: {message}", mayBeDone: false),
        _ => new EtcdRefusedException(code, $"etcd at {endpoint} refuses: {message}"),
    };
}
