using System.Text.Json.Serialization;

namespace ReplicatedSqlite.Cluster;

/// <summary>What a node takes on.</summary>
[Flags]
[JsonConverter(typeof(JsonStringEnumConverter<NodeRoles>))]
public enum NodeRoles
{
    /// <summary>Nothing: no node is so.</summary>
    None = 0,

    /// <summary>Takes the calls of clients and passes them on where another node has to answer.</summary>
    Router = 1,

    /// <summary>Leads databases: takes their writes.</summary>
    Primary = 2,

    /// <summary>Keeps copies that answer reads.</summary>
    Replica = 4,

    /// <summary>Keeps the logs of databases durable in its journal.</summary>
    Follower = 8,

    /// <summary>All of them.</summary>
    All = Router | Primary | Replica | Follower,
}
