using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary><c>replicatedsqlite.v1.Query</c> on one node: finds the copy that may answer, and lets it.</summary>
public sealed class QueryService
{
    private readonly RouterContext _context;
    private readonly Admission _admission;

    /// <param name="context">The node.</param>
    public QueryService(RouterContext context)
    {
        _context = context;
        _admission = new Admission(context.Options.MaxQueries);
    }

    /// <summary>Adds the service to a node's endpoints.</summary>
    public void Map(GrpcServices services)
    {
        services.MapUnary(QueryMethods.Execute, ExecuteAsync);
        services.MapServerStreaming(QueryMethods.Stream, StreamAsync);
        services.MapDuplex(QueryMethods.Transact, (_, _, _) => throw NotBuilt("Transact"));
        services.MapUnary(QueryMethods.Describe, (_, _) => throw NotBuilt("Describe"));
        services.MapUnary(QueryMethods.GetOutcome, (_, _) => throw NotBuilt("GetOutcome"));
    }

    private async ValueTask<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var database = Find(request.Database);
        RefuseWhatIsNotBuilt(request.IdempotencyKey, request.Read);
        var constraint = ReadConstraint.Parse(request.Read, database.Id, _context.Options.WaitTimeout);
        if (Choose(database, call) is not { } copies)
        {
            return await _context.Forwarder.ExecuteAsync(database.Id, request, readsOnly: false, call.CancellationToken);
        }

        using var lease = await copies.UseAsync(database.Id, call.CancellationToken);
        return await lease.Grain.ExecuteAsync(request, constraint, call.CancellationToken);
    }

    private async ValueTask StreamAsync(StreamRequest request, IResponseWriter<StreamResponse> responses, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var database = Find(request.Database);
        RefuseWhatIsNotBuilt(request.IdempotencyKey, request.Read);
        var constraint = ReadConstraint.Parse(request.Read, database.Id, _context.Options.WaitTimeout);
        if (Choose(database, call) is not { } copies)
        {
            await WriteAllAsync(_context.Forwarder.StreamAsync(database.Id, request, readsOnly: false, call.CancellationToken), responses, call);
            return;
        }

        using var lease = await copies.UseAsync(database.Id, call.CancellationToken);
        await WriteAllAsync(lease.Grain.StreamAsync(request, constraint, call.CancellationToken), responses, call);
    }

    private static async Task WriteAllAsync(IAsyncEnumerable<StreamResponse> parts, IResponseWriter<StreamResponse> responses, ServerCallContext call)
    {
        await foreach (var part in parts)
        {
            await responses.WriteAsync(part, call.CancellationToken);
        }
    }

    private DatabaseRecord Find(string nameOrId) => _context.Control.Find(nameOrId) ?? throw DatabaseNames.NotFound(nameOrId);

    /// <summary>The primary when it is here, else this region's replica; neither means that the call is passed on.</summary>
    private GrainDirectory<IDatabaseCopy>? Choose(DatabaseRecord database, ServerCallContext call)
    {
        if (database.PrimaryNode == _context.Self.Id)
        {
            return _context.Primaries;
        }

        if (call.RequestHeaders.TryGet(Forwarding.Header, out var by))
        {
            throw new RequestException(
                ErrorCodes.NoPrimary, $"Node {by} takes this node for the primary of '{database.Name}', which is node {database.PrimaryNode}. Try again.");
        }

        return database.HasReplicaIn(_context.Self.Region) ? _context.Replicas : null;
    }

    private static void RefuseWhatIsNotBuilt(string idempotencyKey, ReadOptions? read)
    {
        // To ignore either would break a promise that the caller relies on.
        if (idempotencyKey.Length > 0)
        {
            throw NotBuilt("idempotency_key");
        }

        if (read is { AsOf.Length: > 0 })
        {
            throw NotBuilt("as_of");
        }
    }

    private static RpcException NotBuilt(string what) =>
        new(StatusCode.Unimplemented, $"{what} is part of the contract, but this version does not have it yet. Nothing was done.");
}
