using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Asks all nodes at once what their copies of a database show.</summary>
internal sealed class TopologyReader(RouterContext context)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    public async Task<Topology> ReadAsync(GetTopologyRequest request, ServerCallContext call)
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

        var database = context.Control.Find(request.Database) is { } found && call.Caller().Sees(found.Id) ? found : throw DatabaseNames.NotFound(request.Database);
        var answers = await Task.WhenAll(nodes.Select(node => AskAsync(node, database, call.CancellationToken)));
        topology.Copies.AddRange(answers.Select(static answer => answer.Copy).OfType<Copy>());
        CountBehind(topology.Copies);
        foreach (var (node, (answered, _)) in topology.Nodes.Zip(answers))
        {
            node.Alive = answered;
        }

        var alive = topology.Nodes.Where(static node => node.Alive).Select(static node => node.Id).ToHashSet(StringComparer.Ordinal);
        topology.Followers.AddRange(database.Followers.Select(follower => new Copy
        {
            NodeId = follower.NodeId,
            Region = nodes.FirstOrDefault(node => node.Id == follower.NodeId)?.Region ?? "", // of one that is away nobody knows
            Role = Role.Follower,
            Alive = alive.Contains(follower.NodeId),
        }));
        return topology;
    }

    // The primary was asked at about the same moment: a replica that was asked a little later may have more.
    private static void CountBehind(ICollection<Copy> copies)
    {
        if (copies.FirstOrDefault(static copy => copy.Role == Role.Primary) is not { } primary || !Bookmark.TryParse(primary.Bookmark, out var newest))
        {
            return;
        }

        foreach (var copy in copies.Where(static copy => copy.Role == Role.Replica))
        {
            if (Bookmark.TryParse(copy.Bookmark, out var visible))
            {
                copy.WritesBehind = newest.Sequence > visible.Sequence ? newest.Sequence - visible.Sequence : 0;
            }
        }
    }

    private async Task<(bool Answered, Copy? Copy)> AskAsync(NodeRecord node, DatabaseRecord database, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await context.Channels.ForQueries(node).CallAsync(
                ReplicationMethods.GetCopy,
                new GetCopyRequest { DatabaseId = database.Id.ToString() },
                new CallOptions { Timeout = _patience },
                cancellationToken);
            if (!answer.Active)
            {
                return (true, null);
            }

            var copy = new Copy
            {
                NodeId = node.Id,
                Region = node.Region,
                Role = answer.Primary ? Role.Primary : Role.Replica,
                Bookmark = answer.Visible,
                ConfirmLagMs = answer.ConfirmLagMs,
                Alive = true,
            };
            if (answer.HasStalenessMs)
            {
                copy.StalenessMs = answer.StalenessMs;
            }

            return (true, copy);
        }
        catch (RpcException)
        {
            return (false, null); // a node that does not answer shows nothing
        }
    }

    private static string Address(Uri uri) => uri.Authority;
}
