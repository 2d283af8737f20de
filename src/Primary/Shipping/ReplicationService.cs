using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The primary's side of <c>replicatedsqlite.internal.v1.Replication</c> on one node.</summary>
public sealed class ReplicationService(PrimaryContext context, GrainDirectory<IDatabaseCopy> primaries)
{
    /// <summary>Adds the methods to a node's endpoints.</summary>
    public void Map(GrpcServices services)
    {
        services.MapDuplex(ReplicationMethods.Subscribe, SubscribeAsync);
        services.MapUnary(ReplicationMethods.LocateBookmark, LocateAsync);
    }

    private async ValueTask SubscribeAsync(
        IAsyncEnumerable<SubscribeRequest> requests, IResponseWriter<SubscribeResponse> responses, ServerCallContext call)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        await using var reports = requests.GetAsyncEnumerator(ending.Token);
        if (!await reports.MoveNextAsync() || reports.Current.Hello is not { } hello)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "A subscription begins with a hello.");
        }

        using var lease = await UseAsync(hello.DatabaseId, call.CancellationToken);
        var primary = (PrimaryGrain)lease.Grain;
        await primary.ServeAsync(hello, reports, responses, ending);
    }

    private async ValueTask<LocateBookmarkResponse> LocateAsync(LocateBookmarkRequest request, ServerCallContext call)
    {
        using var lease = await UseAsync(request.DatabaseId, call.CancellationToken);
        return await ((PrimaryGrain)lease.Grain).LocateAsync(Bookmark.Parse(request.Bookmark));
    }

    private ValueTask<GrainLease<IDatabaseCopy>> UseAsync(string databaseId, CancellationToken cancellationToken)
    {
        var database = context.Control.Find(databaseId) ??
            throw new RequestException(ErrorCodes.DatabaseNotFound, $"The database {databaseId} does not exist any more.");
        return database.PrimaryNode == context.Self.Id
            ? primaries.UseAsync(database.Id, cancellationToken)
            : throw new RequestException(ErrorCodes.NoPrimary, $"The primary of '{database.Name}' is not on this node but on {database.PrimaryNode}.");
    }
}
