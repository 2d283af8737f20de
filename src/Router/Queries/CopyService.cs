using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Router;

/// <summary>Tells other nodes what this node's copies show. Activates nothing.</summary>
public sealed class CopyService(RouterContext context)
{
    /// <summary>Adds the method to a node's endpoints.</summary>
    public void Map(GrpcServices services) => services.MapUnary(ReplicationMethods.GetCopy, (request, _) => ValueTask.FromResult(GetCopy(request)));

    private GetCopyResponse GetCopy(GetCopyRequest request)
    {
        if (!Guid.TryParse(request.DatabaseId, out var guid))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"'{request.DatabaseId}' is no database id.");
        }

        var id = new DatabaseId(guid);
        var isReplica = context.Control.Find(id) is not { } record || record.HasReplicaOn(context.Self); // else a follower's copy, that nobody is to read
        if ((context.Primaries.TryUse(id, keepsIt: false) ?? (isReplica ? context.Replicas.TryUse(id, keepsIt: false) : null)) is not { } lease)
        {
            return new GetCopyResponse();
        }

        using (lease)
        {
            var status = lease.Grain.Status;
            var response = new GetCopyResponse
            {
                Active = true,
                Primary = status.IsPrimary,
                Visible = status.Visible.ToBookmark(id).ToString(),
                ConfirmLagMs = status.ConfirmLagMs,
            };
            if (status.Staleness is { } staleness)
            {
                response.StalenessMs = staleness.TotalMilliseconds;
            }

            return response;
        }
    }
}
