using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>The methods of <c>replicatedsqlite.internal.v1.Replication</c>.</summary>
public static class ReplicationMethods
{
    private const string Service = "replicatedsqlite.internal.v1.Replication";

    /// <summary>Ships a log.</summary>
    public static readonly GrpcMethod<SubscribeRequest, SubscribeResponse> Subscribe = new(Service, "Subscribe", MethodKind.Duplex) { IsEndless = true };

    /// <summary>Asks the primary about a bookmark.</summary>
    public static readonly GrpcMethod<LocateBookmarkRequest, LocateBookmarkResponse> LocateBookmark = new(Service, "LocateBookmark", MethodKind.Unary);

    /// <summary>Asks a node about its copy.</summary>
    public static readonly GrpcMethod<GetCopyRequest, GetCopyResponse> GetCopy = new(Service, "GetCopy", MethodKind.Unary);

    /// <summary>Hands a leadership to a node.</summary>
    public static readonly GrpcMethod<TakeOverRequest, TakeOverResponse> TakeOver = new(Service, "TakeOver", MethodKind.Unary);

    /// <summary>Asks a node whether it is there.</summary>
    public static readonly GrpcMethod<PingRequest, PingResponse> Ping = new(Service, "Ping", MethodKind.Unary);
}
