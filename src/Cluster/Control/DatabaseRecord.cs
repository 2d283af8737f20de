using System.Collections.Immutable;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>One database in the catalogue. Immutable: a change is a new record.</summary>
public sealed record DatabaseRecord
{
    /// <summary>For ever; never used again after a deletion.</summary>
    public required DatabaseId Id { get; init; }

    /// <summary>Unique among the databases that exist.</summary>
    public required string Name { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Where its primary should be.</summary>
    public required string PrimaryRegion { get; init; }

    /// <summary>The node whose primary takes the writes.</summary>
    public required string PrimaryNode { get; init; }

    /// <summary>Whether there are replicas at all.</summary>
    public bool Replicated { get; init; } = true;

    /// <summary>Regions that keep a replica; empty means all.</summary>
    public ImmutableArray<string> ReplicaRegions { get; init; } = [];

    /// <summary>Policy and limits: <c>default</c> or <c>d1</c>.</summary>
    public string Profile { get; init; } = "default";

    /// <summary>Bytes a page, fixed at creation.</summary>
    public int PageSizeBytes { get; init; } = 4096;

    /// <summary>The newest leadership's number; 0 before the first.</summary>
    public uint Epoch { get; init; }

    /// <summary>
    /// Who kept the log durable when this was written, ordered by journal. A hint where to start asking: the log itself says who does.
    /// Empty before the first leadership.
    /// </summary>
    public ImmutableArray<FollowerPlace> Followers { get; init; } = [];

    /// <summary>How many of <see cref="Followers"/> must have a write on disk before it is answered.</summary>
    public int Quorum { get; init; }

    /// <summary>How many followers are wanted; <see langword="null"/>: as many as the cluster's size allows.</summary>
    public int? WantedFollowers { get; init; }

    /// <summary>The quorum that is wanted; <see langword="null"/>: the smallest majority.</summary>
    public int? WantedQuorum { get; init; }

    /// <summary>Where its log begins, for a database whose first state is in cold storage: a fork, or one that is brought back. Until the first leadership behind it has begun.</summary>
    public Position? BeginsAt { get; init; }

    /// <summary>What it is brought back from may lack what was confirmed last: the next leadership asks <see cref="Followers"/> alone, whatever sets the log knows of.</summary>
    public bool AcceptsLoss { get; init; }

    /// <summary>Leaderships are above this epoch: what was promised to those before may be unknown.</summary>
    public uint LeastEpoch { get; init; }

    /// <summary>How long every state of it can be gone back to; <see langword="null"/>: as long as the cluster keeps them.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>The followers as the quorum protocol knows them; <see langword="null"/> before the first leadership.</summary>
    public FollowerSet? FollowerSet => Followers.IsEmpty ? null : new FollowerSet(Followers.Select(static follower => follower.Journal), Quorum);

    /// <summary>Goes up by one with every change by <see cref="IControlPlane.UpdateAsync"/>.</summary>
    public long Revision { get; init; }

    /// <summary>The <see cref="Revision"/> that gave it its name. Who saw it under an earlier one may know it by a name that is another's now.</summary>
    public long NameRevision { get; init; }

    /// <summary>What a newer version keeps in it; goes along with every change.</summary>
    internal Dictionary<string, System.Text.Json.JsonElement>? More { get; init; }

    /// <summary>Whether a node of this region may keep a replica.</summary>
    public bool HasReplicaIn(string region) =>
        Replicated && (ReplicaRegions.IsEmpty || ReplicaRegions.Contains(region, StringComparer.OrdinalIgnoreCase));

    /// <summary>Whether a node may keep a replica.</summary>
    public bool HasReplicaOn(NodeRecord node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.MayReplicate && HasReplicaIn(node.Region);
    }
}

/// <summary>A follower and where it was met.</summary>
/// <param name="Journal">Names it.</param>
/// <param name="NodeId">The node whose journal it is.</param>
public readonly record struct FollowerPlace(Guid Journal, string NodeId);
