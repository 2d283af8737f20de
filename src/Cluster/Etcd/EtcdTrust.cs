namespace ReplicatedSqlite.Cluster;

/// <summary>Whether what is found in etcd goes on from what this node knows of it.</summary>
internal static class EtcdTrust
{
    private const string WhatToDo =
        " Nothing is changed in it: databases that are led go on, and nothing else is elected, created or changed. Bring etcd's newest state back if there is one; " +
        "else go on with this one by starting a node that was there with --etcd-accept-restored true. See docs/operations.md, 'etcd lost or brought back from a backup'.";

    /// <summary>What is wrong; <see langword="null"/> when nothing is.</summary>
    public static string? Fault(EtcdFacts known, EtcdSight seen, string prefix)
    {
        if (seen.Cluster is { } other && other.Id != known.ClusterId)
        {
            return $"etcd holds cluster {other.Id} under '{prefix}', and this node belongs to cluster {known.ClusterId}: these are another cluster's endpoints or prefix, or etcd " +
                "was wiped and a new cluster was created in it. Nothing is changed in it: databases that are led go on. Correct the endpoints or the prefix; " +
                "else stop the new cluster, remove its keys, and see docs/operations.md, 'etcd lost or brought back from a backup'.";
        }

        if (seen.Hold is { } hold)
        {
            return $"{hold.By} has found that etcd is not what it was, and has told everybody to leave it alone: {hold.Reason}";
        }

        return Found(known, seen, prefix) is { } found ? found + WhatToDo : null;
    }

    /// <summary>An operator has accepted an older etcd meanwhile.</summary>
    public static bool IsNewGeneration(EtcdFacts known, EtcdSight seen) => seen.Cluster?.Id == known.ClusterId && seen.Cluster.Generation > known.Generation;

    /// <summary>etcd's catalogue went on from another state than the one that was seen.</summary>
    public static string Diverged(EtcdFacts known) =>
        $"etcd's catalogue did not go on from revision {known.HeadRevision} as this node has seen it: it was brought back from an older backup, and changed since." + WhatToDo;

    private static string? Found(EtcdFacts known, EtcdSight seen, string prefix)
    {
        if (seen.Cluster is null)
        {
            return $"etcd has nothing under '{prefix}', where cluster {known.ClusterId} was: it was wiped, or these are the endpoints of another one.";
        }

        if (IsNewGeneration(known, seen))
        {
            return null;
        }

        if (seen.Cluster.Generation < known.Generation)
        {
            return $"etcd is of generation {seen.Cluster.Generation} of cluster {known.ClusterId}, and this node has seen generation {known.Generation}: it was brought back from an older backup.";
        }

        if (seen.RaftCluster != known.RaftCluster)
        {
            return $"etcd calls itself {seen.RaftCluster:x16}, and this node knows it as {known.RaftCluster:x16}: it was brought back from a backup, or built anew.";
        }

        if (seen.Revision < known.Revision || seen.HeadRevision < known.HeadRevision)
        {
            return $"etcd is at revision {seen.Revision} (catalogue: {seen.HeadRevision}), and this node has seen {known.Revision} (catalogue: {known.HeadRevision}): it was brought back from an older backup, or has lost writes.";
        }

        return seen.HeadRevision == known.HeadRevision && seen.HeadToken != known.HeadToken
            ? $"etcd's catalogue of revision {seen.HeadRevision} is not the one that this node has seen: it was brought back from an older backup, and changed since."
            : null;
    }
}
