using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ReplicatedSqlite.Cluster;

namespace ReplicatedSqlite.Router;

/// <summary>Looks tokens up. Safe for use by any thread.</summary>
/// <remarks>
/// A token that this node does not know may be a moment old, so the control plane is asked; but one question at a time and a few a second, so that made-up tokens
/// are no load for it. Beyond that, what is not known here is not known.
/// </remarks>
internal sealed class TokenCheck(ITokenStore tokens, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan _betweenQuestions = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    // One caller a record: made when a token is first used here, gone with the record.
    private static readonly ConditionalWeakTable<TokenRecord, Caller> _callers = [];

    private readonly SemaphoreSlim _asking = new(1);
    private long _askedAt = long.MinValue; // in _asking

    public static Caller CallerOf(TokenRecord record) => _callers.GetValue(record, static token => new Caller
    {
        TokenId = token.Id,
        Right = token.Right,
        Databases = token.Databases.IsEmpty ? null : [.. token.Databases],
    });

    public TokenRecord? Find(TokenText token) => tokens.Find(token.Id);

    /// <summary>What the control plane knows now, if it may be asked.</summary>
    public async ValueTask<TokenRecord?> FindNewestAsync(TokenText token, CancellationToken cancellationToken)
    {
        if (!await _asking.WaitAsync(_patience, cancellationToken))
        {
            return tokens.Find(token.Id);
        }

        try
        {
            if (tokens.Find(token.Id) is { } known)
            {
                return known;
            }

            if (_askedAt != long.MinValue && time.GetElapsedTime(_askedAt) < _betweenQuestions)
            {
                return null;
            }

            _askedAt = time.GetTimestamp();
            return await tokens.FindNewestAsync(token.Id, cancellationToken);
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();

    public bool HasExpired(TokenRecord record) => record.ExpiresAt is { } end && time.GetUtcNow() >= end;
}
