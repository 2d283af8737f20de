using Google.Protobuf;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Replica;

/// <summary>Hands this node's copies to nodes that begin to lead and have none.</summary>
/// <param name="replicas">The copies.</param>
/// <param name="follower">Knows which followers were in force where a copy stands.</param>
public sealed class BaseService(GrainDirectory<IDatabaseCopy> replicas, IOwnFollower follower)
{
    /// <summary>Adds the method to a node's endpoints.</summary>
    public void Map(GrpcServices services) => services.MapServerStreaming(FollowerMethods.ReadBase, ReadAsync);

    private async ValueTask ReadAsync(ReadBaseRequest request, IResponseWriter<ReadBaseResponse> responses, ServerCallContext call)
    {
        var database = Guid.TryParse(request.DatabaseId, out var id)
            ? new DatabaseId(id)
            : throw new RequestException(ErrorCodes.InvalidRequest, $"'{request.DatabaseId}' is not a database's id.");
        using var lease = await replicas.UseAsync(database, call.CancellationToken);
        if (lease.Grain is not ReplicaGrain replica)
        {
            throw new RequestException(ErrorCodes.CopyStale, $"This node has no replica of {database}.");
        }

        var (to, state) = await replica.SendBaseAsync(
            request.AtLeast.ToPosition(),
            async (part, cancellation) =>
            {
                if (part.Position is not null)
                {
                    await responses.WriteAsync(new() { Begin = new() { Sets = FollowerWire.Encode(SetsAt(database, part.Position.ToPosition())) } }, cancellation);
                }

                await responses.WriteAsync(new() { Part = part }, cancellation);
            },
            call.CancellationToken);
        await responses.WriteAsync(new() { End = new() { To = to.ToMessage(), LogState = UnsafeByteOperations.UnsafeWrap(LogStateFile.Encode(state)) } }, call.CancellationToken);
    }

    // What stands below a position that is confirmed, and that the log here holds, is confirmed too.
    private KnownSets? SetsAt(DatabaseId database, Position position)
    {
        try
        {
            return follower.LogOf(database).Holds(position) ? follower.StateOf(database).Sets.LastOrDefault(sets => sets.DecidedAt <= position) : null;
        }
        catch (JournalException)
        {
            return null; // a node without a journal may have a copy all the same
        }
    }
}
