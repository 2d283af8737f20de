using System.Text.Json;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>A token's record as text, the same in every control plane. Fields are added, never renamed. When it was last used is kept beside it.</summary>
internal static class TokenFormat
{
    public static string Write(TokenRecord token) => JsonSerializer.Serialize(new Stored(
        token.Id, token.Name, token.SecretHash, (int)token.Right, [.. token.Databases.Select(database => database.Value)], ToMicroseconds(token.CreatedAt),
        token.ExpiresAt is { } expires ? ToMicroseconds(expires) : null));

    /// <exception cref="JsonException">It is something else.</exception>
    public static TokenRecord Read(string text, DateTimeOffset? lastUsedAt)
    {
        var stored = JsonSerializer.Deserialize<Stored>(text) ?? throw new JsonException("A token's record is null.");
        return new TokenRecord
        {
            Id = stored.Id,
            Name = stored.Name,
            SecretHash = stored.SecretHash,
            Right = (Right)stored.Right,
            Databases = [.. stored.Databases.Select(id => new DatabaseId(id))],
            CreatedAt = FromMicroseconds(stored.CreatedAtMicroseconds),
            ExpiresAt = stored.ExpiresAtMicroseconds is { } expires ? FromMicroseconds(expires) : null,
            LastUsedAt = lastUsedAt,
        };
    }

    public static long ToMicroseconds(DateTimeOffset time) => time.UtcTicks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromMicroseconds(long microseconds) => new(microseconds * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    private sealed record Stored(
        string Id, string Name, string SecretHash, int Right, Guid[] Databases, long CreatedAtMicroseconds, long? ExpiresAtMicroseconds = null);
}
