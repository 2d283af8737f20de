namespace ReplicatedSqlite.Cluster;

/// <summary>The cluster's access tokens. Lookups answer from memory, which hears of changes within a second; changes are durable when they return. Safe for use by any thread.</summary>
public interface ITokenStore
{
    /// <summary>Most tokens that a cluster keeps: every node has them in memory.</summary>
    const int MaxTokens = 10_000;

    /// <summary>A token as this node knows it; <see langword="null"/> if there is none.</summary>
    TokenRecord? Find(string id);

    /// <summary>A token as the control plane knows it now: one that another node made a moment ago.</summary>
    ValueTask<TokenRecord?> FindNewestAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>All tokens, by creation.</summary>
    Task<IReadOnlyList<TokenRecord>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Adds a token.</summary>
    /// <exception cref="Protocol.RequestException">There are <see cref="MaxTokens"/> already.</exception>
    Task AddAsync(TokenRecord token, CancellationToken cancellationToken = default);

    /// <summary>Removes a token for good.</summary>
    /// <returns><see langword="false"/> if there is none.</returns>
    Task<bool> RemoveAsync(string id, CancellationToken cancellationToken = default);

    /// <summary>Notes when tokens were last used; what is noted already and newer stays. Nothing rests on it.</summary>
    Task NoteUseAsync(IReadOnlyDictionary<string, DateTimeOffset> lastUsed, CancellationToken cancellationToken = default);
}
