using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>An access token as the control plane keeps it: what it opens, and a hash of its secret. Immutable.</summary>
public sealed record TokenRecord
{
    /// <summary>16 hex digits, never used again.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the secret's 32 bytes, as 64 hex digits.</summary>
    public required string SecretHash { get; init; }

    /// <summary>The greatest right.</summary>
    public required Right Right { get; init; }

    /// <summary>The databases that it opens; empty: all.</summary>
    public ImmutableArray<DatabaseId> Databases { get; init; } = [];

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From then on it opens nothing; <see langword="null"/>: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was last used, to a minute or two; <see langword="null"/>: not yet, or not noted.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }
}
