using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Reads the catalogue, all of one moment, in pages.</summary>
internal static class EtcdLoader
{
    private const int Attempts = 5; // etcd may forget the moment while it is read

    /// <param name="store">Where.</param>
    /// <param name="options">How much at a time.</param>
    /// <param name="known">Records that need not be read again; <see langword="null"/>: all are.</param>
    /// <param name="logger">For what cannot be read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<LoadedCatalogue> LoadAsync(EtcdStore store, EtcdOptions options, CatalogueMirror? known, ILogger logger, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var databases = new List<(DatabaseId, DatabaseRecord?, long)>();
            var deletions = new Dictionary<DatabaseId, long>();
            try
            {
                var revision = await store.ReadAllAsync(store.Keys.Databases, 0, options.PageCount, page => TakeDatabases(page, store.Keys, known, databases, logger), cancellationToken);
                await store.ReadAllAsync(store.Keys.Deletions, revision, options.PageCount, page => TakeDeletions(page, store.Keys, deletions), cancellationToken);
                return new LoadedCatalogue(revision, databases, deletions);
            }
            catch (EtcdRefusedException refusal) when (refusal.IsCompacted && attempt < Attempts)
            {
            }
        }
    }

    /// <summary>All tokens of one moment.</summary>
    public static async Task<List<TokenRecord>> LoadTokensAsync(EtcdStore store, EtcdOptions options, ILogger logger, CancellationToken cancellationToken)
    {
        var tokens = new List<TokenRecord>();
        await store.ReadAllAsync(
            store.Keys.Tokens, 0, options.PageCount, page => tokens.AddRange(page.Select(found => EtcdTokenStore.TryDecode(found, logger)).OfType<TokenRecord>()), cancellationToken);
        return tokens;
    }

    /// <summary>The record in a value; <see langword="null"/> when it cannot be read, which is logged: one that is damaged must not hide the others.</summary>
    public static DatabaseRecord? TryDecode(EtcdKeyValue found, ILogger logger)
    {
        try
        {
            return StoredDatabase.Decode(found.Bytes);
        }
        catch (JsonException e)
        {
            EtcdLog.Unreadable(logger, Encoding.UTF8.GetString(found.Key), e.Message);
            return null;
        }
    }

    private static void TakeDatabases(
        EtcdKeyValue[] page, EtcdKeys keys, CatalogueMirror? known, List<(DatabaseId, DatabaseRecord?, long)> databases, ILogger logger)
    {
        foreach (var found in page)
        {
            if (!EtcdKeys.TryIdOf(found.Key, keys.Databases, out var id))
            {
                continue;
            }

            if (known?.Find(id) is { } old && old.Revision == found.ModRevision)
            {
                databases.Add((id, null, found.ModRevision));
            }
            else if (TryDecode(found, logger) is { } record)
            {
                databases.Add((id, record, found.ModRevision));
            }
        }
    }

    private static void TakeDeletions(EtcdKeyValue[] page, EtcdKeys keys, Dictionary<DatabaseId, long> deletions)
    {
        foreach (var found in page)
        {
            if (EtcdKeys.TryIdOf(found.Key, keys.Deletions, out var id))
            {
                deletions[id] = found.ModRevision;
            }
        }
    }
}
