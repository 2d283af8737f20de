namespace ReplicatedSqlite.Cluster;

/// <summary>A node as the others see it.</summary>
/// <param name="Id">Written once into the node's folder, so that it survives restarts.</param>
/// <param name="Region">Where it stands, e.g. <c>weur</c>.</param>
/// <param name="GrpcAddress"><c>http://host:port</c> of the query, admin and internal services.</param>
/// <param name="HttpAddress"><c>http://host:port</c> of health and the HTTP API.</param>
/// <param name="JournalId">Names its journal, by which it is a durability follower. Another id than before means that what the old one held is gone.</param>
public sealed record NodeRecord(string Id, string Region, Uri GrpcAddress, Uri HttpAddress, Guid JournalId = default);
