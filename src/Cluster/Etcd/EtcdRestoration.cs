using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>Goes on with an etcd that was wiped or brought back from a backup: tells it what a node remembers.</summary>
internal sealed class EtcdRestoration(EtcdOptions options, EtcdStore store, ILogger logger)
{
    // A transaction takes 128 conditions and 128 changes, and 1.5 MiB; a creation has three conditions.
    private const int CreationsAtOnce = 40;
    private const int DeletionsAtOnce = 100;
    private const int Attempts = 5; // others may change the catalogue meanwhile

    /// <summary>An operator says so: nobody else changes anything meanwhile, and all others go on with it afterwards.</summary>
    /// <exception cref="EtcdDistrustedException">It is another cluster's.</exception>
    public async Task AcceptAsync(EtcdFacts known, RememberedCluster remembered, CancellationToken cancellationToken)
    {
        var sight = await store.LookAsync(cancellationToken);
        if (EtcdTrust.Fault(known, sight, options.Prefix) is not { } fault)
        {
            return;
        }

        if (sight.Cluster is { } other && other.Id != known.ClusterId)
        {
            throw new EtcdDistrustedException(fault);
        }

        var mark = new HoldMark(Environment.MachineName, $"It is just being accepted ({RandomNumberGenerator.GetHexString(16, lowercase: true)}).").Encode();
        await store.TryAsync([], [EtcdOperation.Put(store.Keys.Hold, mark)], cancellationToken);
        EtcdCompare[] held = [EtcdCompare.Holds(store.Keys.Hold, mark)];
        await TellAsync(held, remembered.Databases, cancellationToken);
        await TellTokensAsync(held, remembered, cancellationToken);
        var cluster = new ClusterMark(known.ClusterId, Math.Max(known.Generation, sight.Cluster?.Generation ?? 0) + 1);
        if (await store.TryAsync(held, [EtcdOperation.Put(store.Keys.Cluster, cluster.Encode()), PutHead(), EtcdOperation.Delete(store.Keys.Hold)], cancellationToken) is null)
        {
            throw new EtcdDistrustedException("Another node is accepting it just now.");
        }

        EtcdLog.Accepted(logger, cluster.Generation, cluster.Id);
    }

    /// <summary>It was accepted elsewhere: what only this node remembers is told to it.</summary>
    public Task TellAsync(EtcdFacts accepted, IReadOnlyList<RememberedDatabase> remembered, CancellationToken cancellationToken) =>
        TellAsync([EtcdCompare.Holds(store.Keys.Cluster, accepted.ClusterValue()), EtcdCompare.Missing(store.Keys.Hold)], remembered, cancellationToken);

    // The tokens are those that this node remembers, and no others: one that was revoked since the backup must not open anything again.
    private async Task TellTokensAsync(EtcdCompare[] always, RememberedCluster remembered, CancellationToken cancellationToken)
    {
        var wanted = remembered.Tokens.ToDictionary(static token => token.Id, StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        await store.ReadAllAsync(
            store.Keys.Tokens, 0, options.PageCount, page => found.UnionWith(page.Select(token => Encoding.UTF8.GetString(token.Key.AsSpan(store.Keys.Tokens.Length)))), cancellationToken);
        List<EtcdOperation> changes = [.. found.Where(id => !wanted.ContainsKey(id)).Select(id => EtcdOperation.Delete(store.Keys.Token(id)))];
        changes.AddRange(wanted.Values.Where(token => !found.Contains(token.Id)).Select(token => EtcdOperation.Put(store.Keys.Token(token.Id), EtcdTokenStore.Encode(token))));
        if (remembered.NodeKey is { } key)
        {
            changes.Add(EtcdOperation.Put(store.Keys.NodeKey, Encoding.ASCII.GetBytes(key)));
        }

        foreach (var some in changes.Chunk(DeletionsAtOnce))
        {
            if (await store.TryAsync(always, [.. some, PutHead()], cancellationToken) is null)
            {
                throw new EtcdDistrustedException("Another node is accepting it just now.");
            }
        }
    }

    private async Task TellAsync(EtcdCompare[] conditions, IReadOnlyList<RememberedDatabase> remembered, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var found = await EtcdLoader.LoadAsync(store, options, known: null, logger, cancellationToken);
            var plan = RestorationPlan.Make(found, remembered);
            if (await TryAsync(plan, conditions, found, cancellationToken))
            {
                var (created, deleted) = (plan.Steps.Count(static step => step.OldName is null), plan.Steps.Count(static step => step.New is null));
                EtcdLog.Told(logger, created, plan.Steps.Count - created - deleted, deleted, plan.Renamed);
                return;
            }

            if (attempt == Attempts)
            {
                throw new EtcdUnavailableException("The catalogue was changed all the time while it was told what this node remembers.", mayBeDone: true);
            }
        }
    }

    private async Task<bool> TryAsync(RestorationPlan plan, EtcdCompare[] always, LoadedCatalogue found, CancellationToken cancellationToken)
    {
        var revisions = found.Databases.ToDictionary(static database => database.Id, static database => database.Revision);
        for (var next = 0; next < plan.Steps.Count;)
        {
            var batch = plan.Steps[next].OldName is null
                ? plan.Steps.Skip(next).TakeWhile(static step => step.OldName is null).Take(CreationsAtOnce).ToList()
                : [plan.Steps[next]];
            var (conditions, changes) = (new List<EtcdCompare>(always), new List<EtcdOperation>());
            batch.ForEach(step => Add(step, revisions, conditions, changes));
            if (await store.TryAsync(conditions, [.. changes, PutHead()], cancellationToken) is not { } revision)
            {
                return false;
            }

            batch.ForEach(step => revisions[step.Id] = revision);
            next += batch.Count;
        }

        foreach (var some in plan.Deletions.Take(options.DeletedCount).Chunk(DeletionsAtOnce))
        {
            if (await store.TryAsync(always, [.. some.Select(id => EtcdOperation.Put(store.Keys.Deleted(id), [])), PutHead()], cancellationToken) is null)
            {
                return false;
            }
        }

        return true;
    }

    private void Add(RestorationStep step, Dictionary<DatabaseId, long> revisions, List<EtcdCompare> conditions, List<EtcdOperation> changes)
    {
        var record = store.Keys.Database(step.Id);
        conditions.Add(step.OldName is null ? EtcdCompare.Missing(record) : EtcdCompare.Unchanged(record, revisions[step.Id]));
        if (step.OldName is { } old && old != step.New?.Name)
        {
            changes.Add(EtcdOperation.Delete(store.Keys.Name(old)));
        }

        if (step.New is not { } wanted)
        {
            changes.AddRange([EtcdOperation.Put(store.Keys.Deleted(step.Id), []), EtcdOperation.Delete(record)]);
            return;
        }

        if (step.OldName != wanted.Name)
        {
            conditions.Add(EtcdCompare.Missing(store.Keys.Name(wanted.Name)));
            changes.Add(EtcdOperation.Put(store.Keys.Name(wanted.Name), EtcdKeys.EncodeId(step.Id)));
        }

        if (step.OldName is null)
        {
            conditions.Add(EtcdCompare.Missing(store.Keys.Deleted(step.Id)));
        }

        changes.Add(EtcdOperation.Put(record, StoredDatabase.Encode(wanted)));
    }

    private EtcdOperation PutHead() => EtcdOperation.Put(store.Keys.Head, Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(16, lowercase: true)));
}

/// <summary>What a node remembers of a cluster in etcd.</summary>
internal sealed record RememberedCluster(IReadOnlyList<RememberedDatabase> Databases, IReadOnlyList<TokenRecord> Tokens, string? NodeKey);
