using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>The methods of <c>replicatedsqlite.internal.v1.Follower</c>.</summary>
public static class FollowerMethods
{
    private const string Service = "replicatedsqlite.internal.v1.Follower";

    /// <summary>A leader's stream.</summary>
    public static readonly GrpcMethod<FollowRequest, FollowResponse> Follow = new(Service, "Follow", MethodKind.Duplex);

    /// <summary>Reads the log.</summary>
    public static readonly GrpcMethod<ReadLogRequest, ReadLogResponse> Read = new(Service, "Read", MethodKind.ServerStreaming);

    /// <summary>Reads a copy of the database.</summary>
    public static readonly GrpcMethod<ReadBaseRequest, ReadBaseResponse> ReadBase = new(Service, "ReadBase", MethodKind.ServerStreaming);

    /// <summary>Asks whether a leader is lost.</summary>
    public static readonly GrpcMethod<ProbeRequest, ProbeResponse> Probe = new(Service, "Probe", MethodKind.Unary);
}
