using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Asks all nodes at once what their copies of a database show.</summary>
internal sealed class TopologyReader(RouterContext context)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    public async Task<Topology> ReadAsync(GetTopologyRequest request, CancellationToken cancellationToken)
    {
        var nodes = context.Control.Nodes;
        var topology = new Topology();
        topology.Nodes.AddRange(nodes.Select(node => new Node
        {
            Id = node.Id, Region = node.Region, GrpcAddress = Address(node.GrpcAddress), HttpAddress = Address(node.HttpAddress), Alive = true,
        }));
        if (request.Database.Length == 0)
        {
            return topology;
        }

        var database = context.Control.Find(request.Database) ?? throw DatabaseNames.NotFound(request.Database);
        var copies = await Task.WhenAll(nodes.Select(node => AskAsync(node, database, cancellationToken)));
        topology.Copies.AddRange(copies.OfType<Copy>());
        return topology;
    }

    private async Task<Copy?> AskAsync(NodeRecord node, DatabaseRecord database, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await context.Channels.ForQueries(node).CallAsync(
                ReplicationMethods.GetCopy,
                new GetCopyRequest { DatabaseId = database.Id.ToString() },
                new CallOptions { Timeout = _patience },
                cancellationToken);
            return answer.Active
                ? new Copy
                {
                    NodeId = node.Id,
                    Region = node.Region,
                    Role = answer.Primary ? Role.Primary : Role.Replica,
                    Bookmark = answer.Visible,
                    ConfirmLagMs = answer.ConfirmLagMs,
                }
                : null;
        }
        catch (RpcException)
        {
            return null; // a node that does not answer shows nothing
        }
    }

    private static string Address(Uri uri) => uri.Authority;
}
