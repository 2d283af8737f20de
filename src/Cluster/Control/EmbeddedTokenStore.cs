using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>The tokens of a cluster that lives in one process: all its nodes share what is in memory.</summary>
internal sealed class EmbeddedTokenStore : ITokenStore
{
    private readonly Lock _writing;
    private readonly TokenTable _table; // used under _writing, while it is open
    private readonly Func<bool> _isClosed;
    private ImmutableDictionary<string, TokenRecord> _tokens; // written under _writing; read by any thread

    /// <param name="writing">The control plane's lock.</param>
    /// <param name="table">The file.</param>
    /// <param name="isClosed">Asked under the lock: the file is not to be used any more.</param>
    public EmbeddedTokenStore(Lock writing, TokenTable table, Func<bool> isClosed)
    {
        _writing = writing;
        _table = table;
        _isClosed = isClosed;
        _tokens = table.ReadAll().ToImmutableDictionary(token => token.Id, StringComparer.Ordinal);
    }

    public TokenRecord? Find(string id) => Volatile.Read(ref _tokens).GetValueOrDefault(id);

    public ValueTask<TokenRecord?> FindNewestAsync(string id, CancellationToken cancellationToken = default) => ValueTask.FromResult(Find(id));

    public Task<IReadOnlyList<TokenRecord>> ListAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<TokenRecord>>([.. Volatile.Read(ref _tokens).Values.OrderBy(token => token.CreatedAt).ThenBy(token => token.Id, StringComparer.Ordinal)]);

    public Task AddAsync(TokenRecord token, CancellationToken cancellationToken = default)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_isClosed(), this);
            TokenLimit.Check(_tokens.Count);
            _table.Put(token);
            Volatile.Write(ref _tokens, _tokens.Add(token.Id, token));
        }

        return Task.CompletedTask;
    }

    public Task<bool> RemoveAsync(string id, CancellationToken cancellationToken = default)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_isClosed(), this);
            if (!_tokens.ContainsKey(id))
            {
                return Task.FromResult(false);
            }

            _table.Delete(id);
            Volatile.Write(ref _tokens, _tokens.Remove(id));
        }

        return Task.FromResult(true);
    }

    public Task NoteUseAsync(IReadOnlyDictionary<string, DateTimeOffset> lastUsed, CancellationToken cancellationToken = default)
    {
        lock (_writing)
        {
            foreach (var (id, usedAt) in lastUsed)
            {
                if (!_isClosed() && _tokens.TryGetValue(id, out var token) && !(token.LastUsedAt >= usedAt))
                {
                    _table.NoteUse(id, usedAt);
                    Volatile.Write(ref _tokens, _tokens.SetItem(id, token with { LastUsedAt = usedAt }));
                }
            }
        }

        return Task.CompletedTask;
    }
}
