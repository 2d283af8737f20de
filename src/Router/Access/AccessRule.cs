using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>What a public rpc asks of its caller.</summary>
/// <param name="Right">The least right.</param>
/// <param name="OfCluster">It concerns the cluster and not one database: a token for some databases is not enough.</param>
internal readonly record struct AccessRule(Right Right, bool OfCluster)
{
    private static readonly AccessRule _all = new(Right.Admin, OfCluster: true);

    /// <summary>The rule of one rpc. What is not named here wants the right to everything, so that a new rpc is closed until somebody opens it.</summary>
    public static AccessRule Of(string service, string method) => (service, method) switch
    {
        // Whether SQL writes, SQLite says: who may only read is refused then.
        (QueryMethods.Service, "Execute" or "Stream" or "Transact" or "Describe") => new(Right.Read, OfCluster: false),
        (QueryMethods.Service, "GetOutcome") => new(Right.Write, OfCluster: false), // NOT_COMMITTED is made final by a write
        (AdminMethods.Service, "GetDatabase" or "ListDatabases" or "GetBookmark" or "Export" or "GetServerInfo") => new(Right.Read, OfCluster: false),
        (AdminMethods.Service, "UpdateDatabase" or "DeleteDatabase" or "MovePrimary" or "Restore" or "GetTopology") => new(Right.Admin, OfCluster: false),
        (AdminMethods.Service, "Import") => new(Right.Write, OfCluster: false), // to append; what more it takes to replace or create, the handler knows
        _ => _all,
    };
}
