namespace ReplicatedSqlite.Cluster;

/// <summary>A node as the others see it. Kept as JSON by control planes; what an older node did not write has its default.</summary>
/// <param name="Id">Written once into the node's folder, so that it survives restarts.</param>
/// <param name="Region">Where it stands, e.g. <c>weur</c>.</param>
/// <param name="GrpcAddress"><c>http://host:port</c> or <c>https://host:port</c> of the query, admin and internal services, as the others reach it.</param>
/// <param name="HttpAddress">The same of health and the HTTP API.</param>
/// <param name="JournalId">Names its journal, by which it is a durability follower. Another id than before means that what the old one held is gone.</param>
public sealed record NodeRecord(string Id, string Region, Uri GrpcAddress, Uri HttpAddress, Guid JournalId = default)
{
    /// <summary>What fails together with it within its region, e.g. a data centre; empty when the region is one zone.</summary>
    public string Zone { get; init; } = "";

    /// <summary>What it takes on.</summary>
    public NodeRoles Roles { get; init; } = NodeRoles.All;

    /// <summary>The product's version that it runs; empty when it did not say.</summary>
    public string Version { get; init; } = "";

    /// <summary>Whether databases may be placed on its journal.</summary>
    public bool MayFollow => JournalId != Guid.Empty && Roles.HasFlag(NodeRoles.Follower);

    /// <summary>Whether it may lead databases. A primary's own node is one of its followers.</summary>
    public bool MayLead => MayFollow && Roles.HasFlag(NodeRoles.Primary);

    /// <summary>Whether it keeps replicas.</summary>
    public bool MayReplicate => Roles.HasFlag(NodeRoles.Replica);
}
