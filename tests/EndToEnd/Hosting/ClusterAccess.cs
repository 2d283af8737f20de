using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>How a test reaches its cluster, and from which level on it keeps what the cluster logs.</summary>
internal sealed record ClusterAccess
{
    public ReplicatedSqliteClientOptions Client { get; init; } = new();

    public Func<Uri, GrpcChannel> Open { get; init; } = static address => new GrpcChannel(address);

    public LogLevel LogFrom { get; init; } = LogLevel.Warning;

    public ReplicatedSqliteClient Connect(NodeRecord node) => new(node.GrpcAddress.ToString(), Client);
}
