using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a transaction did and read.</summary>
/// <param name="Succeeded">Whether its conditions held, so that it was carried out.</param>
/// <param name="Revision">etcd's revision after it: that of the change, if there was one.</param>
/// <param name="Values">What the reads found, in their order; null for a key that is not there. After a success of a change there is none.</param>
/// <param name="MayBeRepeated">An earlier attempt may have been carried out, so that its own change may be what contradicts the conditions.</param>
internal sealed record EtcdOutcome(bool Succeeded, long Revision, IReadOnlyList<EtcdKeyValue?> Values, bool MayBeRepeated);

/// <summary>The cluster's keys in etcd. Every transaction is carried out only in the etcd that is known, and not in an older one.</summary>
internal sealed class EtcdStore(EtcdTransport transport, EtcdKeys keys, ILogger logger)
{
    public EtcdKeys Keys => keys;

    /// <summary>Looks at what tells who etcd is, and at the nodes; goes through etcd's quorum.</summary>
    public async Task<EtcdSight> LookAsync(CancellationToken cancellationToken)
    {
        EtcdOperation[] reads = [EtcdOperation.Get(keys.Cluster), EtcdOperation.Get(keys.Hold), EtcdOperation.Get(keys.Head), EtcdOperation.GetAll(keys.Nodes)];
        var found = (await transport.CallAsync<TxnResponse>("kv/txn", new TxnRequest([], reads, []), cancellationToken)).Value;
        var (cluster, hold, head) = (First(found, 0), First(found, 1), First(found, 2));
        var nodes = (found.Responses?[3].ResponseRange?.Kvs ?? []).OrderBy(static node => node.CreateRevision).Select(TryDecodeNode).OfType<NodeRecord>();
        try
        {
            return new EtcdSight(
                found.Header.ClusterId,
                found.Header.Revision,
                cluster is null ? null : ClusterMark.Decode(cluster.Bytes),
                hold is null ? null : HoldMark.Decode(hold.Bytes),
                head?.ModRevision ?? 0,
                head is null ? "" : Encoding.UTF8.GetString(head.Bytes),
                [.. nodes]);
        }
        catch (JsonException e)
        {
            throw new EtcdDistrustedException($"What is under '{Encoding.UTF8.GetString(keys.Cluster)}' or '{Encoding.UTF8.GetString(keys.Hold)}' cannot be read: {e.Message}");
        }
    }

    /// <summary>Carries a change out if nothing speaks against it.</summary>
    /// <param name="known">The etcd that is meant.</param>
    /// <param name="conditions">What must hold.</param>
    /// <param name="changes">What is changed; empty: nothing, and <paramref name="reads"/> are done instead.</param>
    /// <param name="reads">Keys that are read when the conditions do not hold.</param>
    /// <param name="headToken">Names this change of the catalogue; <see langword="null"/> when it is none.</param>
    /// <param name="cancellationToken">Stops the try; it may have been carried out all the same.</param>
    /// <exception cref="EtcdDistrustedException">etcd is not the one that is meant. Nothing was done.</exception>
    public async Task<EtcdOutcome> CommitAsync(
        EtcdFacts known,
        IReadOnlyList<EtcdCompare> conditions,
        IReadOnlyList<EtcdOperation> changes,
        IReadOnlyList<byte[]> reads,
        string? headToken,
        CancellationToken cancellationToken)
    {
        EtcdCompare[] compares = [EtcdCompare.Holds(keys.Cluster, known.ClusterValue()), EtcdCompare.Missing(keys.Hold), EtcdCompare.NotOlder(keys.Head, known.HeadRevision), .. conditions];
        var wanted = reads.Select(EtcdOperation.Get);
        EtcdOperation[] success = changes.Count == 0 ? [.. wanted] : headToken is null ? [.. changes] : [.. changes, EtcdOperation.Put(keys.Head, Encoding.UTF8.GetBytes(headToken))];
        EtcdOperation[] failure = [EtcdOperation.Get(keys.Cluster), EtcdOperation.Get(keys.Hold), EtcdOperation.Get(keys.Head), .. wanted];
        var reply = await transport.CallAsync<TxnResponse>("kv/txn", new TxnRequest(compares, success, failure), cancellationToken);
        var answer = reply.Value;
        if (answer.Header.ClusterId != known.RaftCluster)
        {
            throw new EtcdDistrustedException($"It calls itself {answer.Header.ClusterId:x16}, and this node knows it as {known.RaftCluster:x16}.");
        }

        var skipped = answer.Succeeded ? 0 : 3;
        if (!answer.Succeeded)
        {
            ThrowIfAnother(known, answer);
        }

        IReadOnlyList<EtcdKeyValue?> values = answer.Succeeded && changes.Count > 0 ? [] : [.. Enumerable.Range(skipped, reads.Count).Select(index => First(answer, index))];
        return new EtcdOutcome(answer.Succeeded, answer.Header.Revision, values, reply.IsRepeated);
    }

    /// <summary>Reads keys of one moment, through etcd's quorum.</summary>
    /// <exception cref="EtcdDistrustedException">etcd is not the one that is meant.</exception>
    public Task<EtcdOutcome> ReadAsync(EtcdFacts known, IReadOnlyList<byte[]> reads, CancellationToken cancellationToken) =>
        CommitAsync(known, [], [], reads, headToken: null, cancellationToken);

    /// <summary>A transaction without any look at who etcd is.</summary>
    /// <returns>Its revision; <see langword="null"/> when a condition did not hold.</returns>
    public async Task<long?> TryAsync(IReadOnlyList<EtcdCompare> conditions, IReadOnlyList<EtcdOperation> changes, CancellationToken cancellationToken) =>
        (await transport.CallAsync<TxnResponse>("kv/txn", new TxnRequest(conditions, changes, []), cancellationToken)).Value is { Succeeded: true } done ? done.Header.Revision : null;

    /// <summary>All keys under a prefix as they were at a revision, a bounded number at a time, in the order of the keys.</summary>
    /// <param name="prefix">Before them all.</param>
    /// <param name="revision">When; 0: now, and all pages of the same moment.</param>
    /// <param name="pageCount">How many at a time.</param>
    /// <param name="take">Gets each page.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The revision that was read.</returns>
    public async Task<long> ReadAllAsync(byte[] prefix, long revision, int pageCount, Action<EtcdKeyValue[]> take, CancellationToken cancellationToken)
    {
        var end = EtcdKeys.EndOf(prefix);
        for (var from = prefix; ;)
        {
            var request = new RangeRequest { Key = from, RangeEnd = end, Limit = pageCount, Revision = revision };
            var page = (await transport.CallAsync<RangeResponse>("kv/range", request, cancellationToken)).Value;
            revision = revision == 0 ? page.Header.Revision : revision;
            take(page.Kvs ?? []);
            if (!page.More || page.Kvs is not { Length: > 0 } found)
            {
                return revision;
            }

            from = EtcdKeys.After(found[^1].Key);
        }
    }

    /// <summary>One key as it was at a revision.</summary>
    public async Task<EtcdKeyValue?> ReadAtAsync(byte[] key, long revision, CancellationToken cancellationToken) =>
        (await transport.CallAsync<RangeResponse>("kv/range", new RangeRequest { Key = key, Revision = revision }, cancellationToken)).Value.First;

    public async Task<long> GrantAsync(TimeSpan time, CancellationToken cancellationToken) =>
        (await transport.CallAsync<LeaseResponse>("lease/grant", new LeaseGrantRequest((long)time.TotalSeconds), cancellationToken)).Value.Id;

    /// <returns><see langword="false"/> when the lease has ended.</returns>
    public async Task<bool> KeepAliveAsync(long lease, CancellationToken cancellationToken) =>
        (await transport.CallAsync<EtcdStreamed<LeaseResponse>>("lease/keepalive", new LeaseRequest(lease), cancellationToken)).Value.Result is { Ttl: > 0 };

    /// <summary>Ends a lease, and with it its keys.</summary>
    /// <returns>The revision without them; <see langword="null"/> when it had ended.</returns>
    public async Task<long?> RevokeAsync(long lease, CancellationToken cancellationToken)
    {
        try
        {
            return (await transport.CallAsync<HeaderResponse>("lease/revoke", new LeaseRequest(lease), cancellationToken)).Value.Header.Revision;
        }
        catch (EtcdRefusedException refusal) when (refusal.Message.Contains("lease not found", StringComparison.Ordinal))
        {
            return null;
        }
    }

    /// <summary>Everything that happens under the prefix, from a revision on.</summary>
    public Task<EtcdStream> WatchAsync(long from, CancellationToken cancellationToken) =>
        transport.OpenAsync("watch", new WatchRequest(new WatchCreateRequest(keys.Prefix, EtcdKeys.EndOf(keys.Prefix), from)), cancellationToken);

    public void MoveOn() => transport.MoveOn();

    /// <summary>The node in a value; <see langword="null"/> when it cannot be read, which is logged.</summary>
    public NodeRecord? TryDecodeNode(EtcdKeyValue found)
    {
        try
        {
            return JsonSerializer.Deserialize<NodeRecord>(found.Bytes);
        }
        catch (JsonException e)
        {
            EtcdLog.Unreadable(logger, Encoding.UTF8.GetString(found.Key), e.Message);
            return null;
        }
    }

    public static byte[] EncodeNode(NodeRecord node) => JsonSerializer.SerializeToUtf8Bytes(node);

    private static EtcdKeyValue? First(TxnResponse answer, int index) => answer.Responses?[index].ResponseRange?.First;

    // The conditions of every transaction come first, and so do the reads that tell which of them failed.
    private static void ThrowIfAnother(EtcdFacts known, TxnResponse answer)
    {
        var (cluster, hold, head) = (First(answer, 0), First(answer, 1), First(answer, 2));
        if (hold is not null)
        {
            var mark = HoldMark.Decode(hold.Bytes);
            throw new EtcdDistrustedException($"{mark.By} has told everybody to leave it alone: {mark.Reason}");
        }

        if (cluster is null || !cluster.Bytes.SequenceEqual(known.ClusterValue()))
        {
            throw new EtcdDistrustedException(
                $"It holds {(cluster is null ? "no cluster" : Encoding.UTF8.GetString(cluster.Bytes))}, and this node knows {Encoding.UTF8.GetString(known.ClusterValue())}.");
        }

        if ((head?.ModRevision ?? 0) < known.HeadRevision)
        {
            throw new EtcdDistrustedException($"Its catalogue is of revision {head?.ModRevision ?? 0}, and this node has seen {known.HeadRevision}.");
        }
    }
}
