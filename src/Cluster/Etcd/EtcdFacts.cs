using System.Text.Json;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a node knows of the etcd that it trusts. Immutable; only grows while the generation is the same.</summary>
/// <param name="ClusterId">Ours, made when the cluster was created.</param>
/// <param name="Generation">Goes up when an operator accepts an etcd that was wiped or brought back.</param>
/// <param name="RaftCluster">etcd's own id of itself.</param>
/// <param name="Revision">The greatest seen.</param>
/// <param name="HeadRevision">That of the newest change of the catalogue.</param>
/// <param name="HeadToken">Made for that change: another history has another one at the same place.</param>
internal sealed record EtcdFacts(string ClusterId, long Generation, ulong RaftCluster, long Revision, long HeadRevision, string HeadToken)
{
    /// <summary>The value under <see cref="EtcdKeys.Cluster"/>, byte for byte.</summary>
    public byte[] ClusterValue() => new ClusterMark(ClusterId, Generation).Encode();

    /// <summary>With what was seen later; what was seen earlier changes nothing.</summary>
    public EtcdFacts With(long revision, long headRevision, string headToken) => this with
    {
        Revision = Math.Max(Revision, revision),
        HeadRevision = Math.Max(HeadRevision, headRevision),
        HeadToken = headRevision > HeadRevision ? headToken : HeadToken,
    };

    public static EtcdFacts Of(EtcdSight sight) =>
        new(sight.Cluster!.Id, sight.Cluster.Generation, sight.RaftCluster, sight.Revision, sight.HeadRevision, sight.HeadToken);
}

/// <summary>Which cluster lives under a prefix, and in which format.</summary>
internal sealed record ClusterMark(string Id, long Generation, int Format = ClusterMark.CurrentFormat)
{
    public const int CurrentFormat = 1;

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this);

    public static ClusterMark Decode(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize<ClusterMark>(json) ?? throw new JsonException("A cluster's mark is wanted; null was found.");
}

/// <summary>Who told everybody to leave etcd alone, and why.</summary>
internal sealed record HoldMark(string By, string Reason)
{
    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this);

    public static HoldMark Decode(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize<HoldMark>(json) ?? new HoldMark("?", "?");
}

/// <summary>One look at etcd, all of it from one moment.</summary>
internal sealed record EtcdSight(
    ulong RaftCluster, long Revision, ClusterMark? Cluster, HoldMark? Hold, long HeadRevision, string HeadToken, IReadOnlyList<NodeRecord> Nodes);
