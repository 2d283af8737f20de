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
    private readonly NameResolver _names;

    /// <param name="context">The node.</param>
    public QueryService(RouterContext context)
    {
        _context = context;
        _names = new NameResolver(context.Control);
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
        var name = request.Database;
        return await _names.RunAsync(name, call, async database =>
        {
            request.Database = name; // a first try may have passed it on by id
            IdempotencyKeys.CheckOptional(request.IdempotencyKey);
            var constraint = Check(request.Read, database);
            if (await UseAsync(database, call) is not { } lease)
            {
                return await _context.Forwarder.ExecuteAsync(database.Id, request, readsOnly: false, call.CancellationToken);
            }

            using (lease)
            {
                return await lease.Grain.ExecuteAsync(request, constraint, call.CancellationToken);
            }
        });
    }

    private async ValueTask StreamAsync(StreamRequest request, IResponseWriter<EncodedResponse> responses, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var name = request.Database;
        await _names.RunAsync(name, call, async database =>
        {
            request.Database = name;
            IdempotencyKeys.CheckOptional(request.IdempotencyKey);
            var constraint = Check(request.Read, database);
            if (await UseAsync(database, call) is not { } lease)
            {
                await WriteAllAsync(_context.Forwarder.StreamAsync(database.Id, request, readsOnly: false, call.CancellationToken), responses, call);
                return true;
            }

            using (lease)
            {
                await WriteAllAsync(lease.Grain.StreamAsync(request, constraint, call.CancellationToken), responses, call);
                return true;
            }
        });
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
        var name = begin.Database;
        var database = await _names.FindAsync(name, call);
        IdempotencyKeys.CheckOptional(begin.IdempotencyKey);
        var constraint = Check(begin.Read, database);
        try
        {
            if (await UseAsync(database, call) is not { } lease)
            {
                await _context.Forwarder.TransactAsync(database.Id, begin, transact, call.CancellationToken);
                return;
            }

            using (lease)
            {
                await lease.Grain.TransactAsync(begin, transact, constraint, call.CancellationToken);
            }
        }
        catch (RpcException moved) when (Forwarding.IsMoved(moved))
        {
            throw await _names.AfterMovedAsync(name, call.CancellationToken); // the client's next step may have been read: it has to begin again
        }
    }

    private async ValueTask<DescribeResponse> DescribeAsync(DescribeRequest request, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var name = request.Database;
        return await _names.RunAsync(name, call, async database =>
        {
            request.Database = name;
            var constraint = Check(request.Read, database);
            if (await UseAsync(database, call) is not { } lease)
            {
                return await _context.Forwarder.DescribeAsync(database.Id, request, call.CancellationToken);
            }

            using (lease)
            {
                return await lease.Grain.DescribeAsync(request, constraint, call.CancellationToken);
            }
        });
    }

    private async ValueTask<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, ServerCallContext call)
    {
        using var ticket = _admission.Enter();
        var name = request.Database;
        return await _names.RunAsync(name, call, async database =>
        {
            request.Database = name;
            IdempotencyKeys.Check(request.IdempotencyKey);
            if (await UseAsync(database, call) is not { } lease)
            {
                return await _context.Forwarder.GetOutcomeAsync(database.Id, request, call.CancellationToken);
            }

            using (lease)
            {
                return await lease.Grain.GetOutcomeAsync(request, call.CancellationToken);
            }
        });
    }

    private static async Task WriteAllAsync(IAsyncEnumerable<EncodedResponse> parts, IResponseWriter<EncodedResponse> responses, ServerCallContext call)
    {
        await foreach (var part in parts)
        {
            await responses.WriteAsync(part, call.CancellationToken);
        }
    }

    private ReadConstraint Check(ReadOptions? read, DatabaseRecord database)
    {
        if (read is { AsOf.Length: > 0 })
        {
            throw NotBuilt("as_of"); // to ignore it would break a promise that the caller relies on
        }

        return ReadConstraint.Parse(read, database.Id, _context.Options.WaitTimeout);
    }

    /// <summary>The primary when it is here, else this region's replica; neither means that the call is passed on.</summary>
    private async ValueTask<GrainLease<IDatabaseCopy>?> UseAsync(DatabaseRecord database, ServerCallContext call)
    {
        if (database.PrimaryNode == _context.Self.Id)
        {
            return await _context.Primaries.UseAsync(database.Id, call.CancellationToken);
        }

        if (call.TryGetRequestHeader(Forwarding.Header, out var by))
        {
            throw new RequestException(
                ErrorCodes.NoPrimary, $"Node {by} takes this node for the primary of '{database.Name}', which is node {database.PrimaryNode}. Try again.");
        }

        try
        {
            return database.HasReplicaOn(_context.Self) ? await _context.Replicas.UseAsync(database.Id, call.CancellationToken) : null;
        }
        catch (RequestException) when (_context.Control.Find(database.Id) is { } changed && !changed.HasReplicaOn(_context.Self))
        {
            return null; // it ended between the look into the catalogue and now
        }
    }

    private static RpcException NotBuilt(string what) =>
        new(StatusCode.Unimplemented, $"{what} is part of the contract, but this version does not have it yet. Nothing was done.");
}
