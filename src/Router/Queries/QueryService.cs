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
        services.MapServerStreaming(QueryMethods.EncodedStream, StreamAsync);
        services.MapDuplex(QueryMethods.Transact, TransactAsync);
        services.MapUnary(QueryMethods.Describe, DescribeAsync);
        services.MapUnary(QueryMethods.GetOutcome, GetOutcomeAsync);
    }

    private async ValueTask<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var database = Find(request.Database);
        IdempotencyKeys.CheckOptional(request.IdempotencyKey);
        RefuseWhatIsNotBuilt(request.Read);
        var constraint = ReadConstraint.Parse(request.Read, database.Id, _context.Options.WaitTimeout);
        if (Choose(database, call) is not { } copies)
        {
            return await _context.Forwarder.ExecuteAsync(database.Id, request, readsOnly: false, call.CancellationToken);
        }

        using var lease = await copies.UseAsync(database.Id, call.CancellationToken);
        return await lease.Grain.ExecuteAsync(request, constraint, call.CancellationToken);
    }

    private async ValueTask StreamAsync(StreamRequest request, IResponseWriter<EncodedResponse> responses, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var database = Find(request.Database);
        IdempotencyKeys.CheckOptional(request.IdempotencyKey);
        RefuseWhatIsNotBuilt(request.Read);
        var constraint = ReadConstraint.Parse(request.Read, database.Id, _context.Options.WaitTimeout);
        if (Choose(database, call) is not { } copies)
        {
            await WriteAllAsync(_context.Forwarder.StreamAsync(database.Id, request, readsOnly: false, call.CancellationToken), responses, call);
            return;
        }

        using var lease = await copies.UseAsync(database.Id, call.CancellationToken);
        await WriteAllAsync(lease.Grain.StreamAsync(request, constraint, call.CancellationToken), responses, call);
    }

    /// <remarks>Whatever refuses or ends the transaction is told in its stream, as an answer to a step; a status other than OK comes from the transport alone.</remarks>
    private async ValueTask TransactAsync(IAsyncEnumerable<TransactRequest> requests, IResponseWriter<TransactResponse> responses, ServerCallContext call)
    {
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        await using var steps = requests.GetAsyncEnumerator(reading.Token);
        var transact = new TransactCall(steps, responses.WriteAsync, reading);
        try
        {
            if (await transact.NextAsync(call.CancellationToken) is { } first)
            {
                using var ticket = _admission.Enter();
                await TransactAsync(first, transact, call);
            }
        }
        catch (RequestException refused)
        {
            await transact.FailAsync(refused, ended: true, call.CancellationToken);
        }
    }

    private async Task TransactAsync(TransactRequest first, TransactCall transact, ServerCallContext call)
    {
        var begin = first.Begin ?? throw new RequestException(ErrorCodes.InvalidRequest, "A transaction starts with `begin`; nothing was done.");
        var database = Find(begin.Database);
        IdempotencyKeys.CheckOptional(begin.IdempotencyKey);
        RefuseWhatIsNotBuilt(begin.Read);
        var constraint = ReadConstraint.Parse(begin.Read, database.Id, _context.Options.WaitTimeout);
        if (Choose(database, call) is not { } copies)
        {
            await _context.Forwarder.TransactAsync(database.Id, begin, transact, call.CancellationToken);
            return;
        }

        using var lease = await copies.UseAsync(database.Id, call.CancellationToken);
        await lease.Grain.TransactAsync(begin, transact, constraint, call.CancellationToken);
    }

    private async ValueTask<DescribeResponse> DescribeAsync(DescribeRequest request, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var database = Find(request.Database);
        RefuseWhatIsNotBuilt(request.Read);
        var constraint = ReadConstraint.Parse(request.Read, database.Id, _context.Options.WaitTimeout);
        if (Choose(database, call) is not { } copies)
        {
            return await _context.Forwarder.DescribeAsync(database.Id, request, call.CancellationToken);
        }

        using var lease = await copies.UseAsync(database.Id, call.CancellationToken);
        return await lease.Grain.DescribeAsync(request, constraint, call.CancellationToken);
    }

    private async ValueTask<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var database = Find(request.Database);
        IdempotencyKeys.Check(request.IdempotencyKey);
        if (Choose(database, call) is not { } copies)
        {
            return await _context.Forwarder.GetOutcomeAsync(database.Id, request, call.CancellationToken);
        }

        using var lease = await copies.UseAsync(database.Id, call.CancellationToken);
        return await lease.Grain.GetOutcomeAsync(request, call.CancellationToken);
    }

    private static async Task WriteAllAsync(IAsyncEnumerable<EncodedResponse> parts, IResponseWriter<EncodedResponse> responses, ServerCallContext call)
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

        if (call.TryGetRequestHeader(Forwarding.Header, out var by))
        {
            throw new RequestException(
                ErrorCodes.NoPrimary, $"Node {by} takes this node for the primary of '{database.Name}', which is node {database.PrimaryNode}. Try again.");
        }

        return database.HasReplicaIn(_context.Self.Region) ? _context.Replicas : null;
    }

    private static void RefuseWhatIsNotBuilt(ReadOptions? read)
    {
        // To ignore it would break a promise that the caller relies on.
        if (read is { AsOf.Length: > 0 })
        {
            throw NotBuilt("as_of");
        }
    }

    private static RpcException NotBuilt(string what) =>
        new(StatusCode.Unimplemented, $"{what} is part of the contract, but this version does not have it yet. Nothing was done.");
}
