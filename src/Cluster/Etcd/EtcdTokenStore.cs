using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Cluster;

/// <summary>The tokens in etcd. A change of them is a change of the catalogue: no node takes itself for up to date without it.</summary>
/// <param name="session">This node's standing with etcd.</param>
/// <param name="store">The keys.</param>
/// <param name="mirror">What this node knows.</param>
/// <param name="change">Carries out a change, or a read, and words its failures.</param>
/// <param name="options">How much is read at a time.</param>
/// <param name="logger">For what cannot be read.</param>
internal sealed class EtcdTokenStore(EtcdSession session, EtcdStore store, TokenMirror mirror, EtcdChange change, EtcdOptions options, ILogger logger) : ITokenStore
{
    private const int UsesAtOnce = 100; // a transaction takes 128 changes
    private const int Attempts = 5;

    public TokenRecord? Find(string id) => mirror.Tokens.GetValueOrDefault(id);

    public async ValueTask<TokenRecord?> FindNewestAsync(string id, CancellationToken cancellationToken = default)
    {
        var found = (await change([], [], [store.Keys.Token(id)], false, cancellationToken)).Values[0];
        if (found is null)
        {
            mirror.Remove(id);
        }
        else if (TryDecode(found, logger) is { } token)
        {
            mirror.Put(token);
        }

        return Find(id);
    }

    public async Task<IReadOnlyList<TokenRecord>> ListAsync(CancellationToken cancellationToken = default)
    {
        var uses = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        try
        {
            await store.ReadAllAsync(store.Keys.TokenUses, 0, options.PageCount, page => TakeUses(page, uses), cancellationToken);
        }
        catch (Exception e) when (e is EtcdUnavailableException or EtcdRefusedException)
        {
            // The tokens are known all the same; when they were last used is not.
        }

        return [.. mirror.Tokens.Values
            .Select(token => uses.TryGetValue(token.Id, out var used) ? token with { LastUsedAt = used } : token)
            .OrderBy(static token => token.CreatedAt).ThenBy(static token => token.Id, StringComparer.Ordinal)];
    }

    public async Task AddAsync(TokenRecord token, CancellationToken cancellationToken = default)
    {
        TokenLimit.Check(mirror.Tokens.Count);
        var (key, value) = (store.Keys.Token(token.Id), Encode(token));
        var outcome = await change([EtcdCompare.Missing(key)], [EtcdOperation.Put(key, value)], [key], true, cancellationToken);
        if (!outcome.Succeeded && !(outcome.Values[0] is { } own && own.Bytes.SequenceEqual(value)))
        {
            throw new InvalidOperationException($"The token id {token.Id} was used before: an id stands for one token for ever.");
        }

        mirror.Put(token);
    }

    public async Task<bool> RemoveAsync(string id, CancellationToken cancellationToken = default)
    {
        var key = store.Keys.Token(id);
        var mayBeDone = false;
        for (var attempt = 1; ; attempt++)
        {
            if ((await change([], [], [key], false, cancellationToken)).Values[0] is not { } found)
            {
                mirror.Remove(id);
                return mayBeDone;
            }

            var outcome = await change(
                [EtcdCompare.Unchanged(key, found.ModRevision)], [EtcdOperation.Delete(key), EtcdOperation.Delete(store.Keys.TokenUse(id))], [], true, cancellationToken);
            mayBeDone |= outcome.MayBeRepeated;
            if (outcome.Succeeded)
            {
                mirror.Remove(id);
                return true;
            }

            if (attempt == Attempts)
            {
                throw EtcdErrors.Unavailable(new EtcdUnavailableException("The token is being changed all the time.", mayBeDone: false));
            }
        }
    }

    public async Task NoteUseAsync(IReadOnlyDictionary<string, DateTimeOffset> lastUsed, CancellationToken cancellationToken = default)
    {
        foreach (var some in lastUsed.Where(used => Find(used.Key) is not null).Chunk(UsesAtOnce))
        {
            var changes = some.Select(used => EtcdOperation.Put(
                store.Keys.TokenUse(used.Key), Encoding.ASCII.GetBytes(TokenFormat.ToMicroseconds(used.Value).ToString(CultureInfo.InvariantCulture))));
            await session.CommitAsync([], [.. changes], [], isOfCatalogue: false, cancellationToken);
        }
    }

    public static byte[] Encode(TokenRecord token) => Encoding.UTF8.GetBytes(TokenFormat.Write(token));

    /// <summary>The token in a value; <see langword="null"/> when it cannot be read, which is logged: then it opens nothing.</summary>
    public static TokenRecord? TryDecode(EtcdKeyValue found, ILogger logger)
    {
        try
        {
            return TokenFormat.Read(Encoding.UTF8.GetString(found.Bytes), null);
        }
        catch (JsonException e)
        {
            EtcdLog.Unreadable(logger, Encoding.UTF8.GetString(found.Key), e.Message);
            return null;
        }
    }

    private void TakeUses(EtcdKeyValue[] page, Dictionary<string, DateTimeOffset> uses)
    {
        foreach (var found in page)
        {
            if (long.TryParse(Encoding.ASCII.GetString(found.Bytes), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds))
            {
                uses[Encoding.UTF8.GetString(found.Key.AsSpan(store.Keys.TokenUses.Length))] = TokenFormat.FromMicroseconds(microseconds);
            }
        }
    }
}

/// <summary>Carries out a change of the catalogue, or a read when there are no changes, and words its failures as the contract does.</summary>
/// <param name="conditions">What must hold.</param>
/// <param name="changes">What is changed.</param>
/// <param name="reads">Keys that are read when there are no changes, or the conditions do not hold.</param>
/// <param name="isVisible">Whether a change that may have been carried out has to be told as such.</param>
/// <param name="cancellationToken">Stops the try.</param>
internal delegate Task<EtcdOutcome> EtcdChange(
    IReadOnlyList<EtcdCompare> conditions, IReadOnlyList<EtcdOperation> changes, IReadOnlyList<byte[]> reads, bool isVisible, CancellationToken cancellationToken);
