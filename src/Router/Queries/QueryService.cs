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
    private readonly RunningQueries _queries;
    private readonly NameResolver _names;
    private readonly NearCopies _near;
    private readonly PastReads _past;

    /// <param name="context">The node.</param>
    /// <param name="queries">Its requests.</param>
    public QueryService(RouterContext context, RunningQueries queries)
    {
        _context = context;
        _names = new NameResolver(context.Control, context.Self, context.Time);
        _near = new NearCopies(context);
        _past = new PastReads(context);
        _queries = queries;
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

    /// <summary>Runs statements in one transaction, for whoever has no gRPC call of its own to map.</summary>
    public async ValueTask<ExecuteResponse> ExecuteAsync(ExecuteRequest request, ServerCallContext call)
    {
        ArgumentNullException.ThrowIfNull(request);
        var query = _queries.Begin("Execute", request.Statements, call);
        try
        {
            var name = request.Database;
            var response = await _names.RunAsync(name, call, async database =>
            {
                request.Database = name; // a first try may have passed it on by id
                IdempotencyKeys.CheckOptional(request.IdempotencyKey);
                var constraint = Check(request.Read, database, query, call);
                if (_past.Asked(request.Read, database) is { } at)
                {
                    using var past = await _past.UseAsync(database, at, query, call);
                    return past is null
                        ? await _context.Forwarder.ExecuteAsync(database.Id, request, call.Caller(), readsOnly: true, query, call.CancellationToken)
                        : await past.Copy.ExecuteAsync(request, constraint, call.CancellationToken);
                }

                if (await UseAsync(database, query, call) is not { } lease)
                {
                    return await _near.ExecuteAsync(database, request, constraint, query, call);
                }

                RequestException? lost = null;
                try
                {
                    return await lease.Grain.ExecuteAsync(request, constraint, call.CancellationToken);
                }
                catch (RequestException refused) when (HasMovedOn(refused, database, call) || IsToBeSettled(refused, request.IdempotencyKey, database, call))
                {
                    lost = refused.Error.CommitState == CommitState.Unknown ? refused : null;
                    lease.Dispose();
                    lease = default; // held, it would keep the old primary from ending
                }
                finally
                {
                    lease.Dispose();
                }

                request.Database = name;
                try
                {
                    return await _context.Forwarder.ExecuteAsync(database.Id, request, call.Caller(), readsOnly: false, query, call.CancellationToken);
                }
                catch (Exception e) when (lost is not null && e is RequestException or RpcException)
                {
                    throw lost; // whatever this try was told
                }
            });
            _queries.Answered(query, response.Served, QueryWork.Of(response));
            return response;
        }
        catch (Exception e) when (_queries.Failed(query, e, call))
        {
            throw;
        }
        finally
        {
            _queries.End(query);
        }
    }

    private async ValueTask StreamAsync(StreamRequest request, IResponseWriter<EncodedResponse> responses, ServerCallContext call)
    {
        var query = _queries.Begin("Stream", request.Statements, call);
        try
        {
            var name = request.Database;
            var (served, work) = await _names.RunAsync(name, call, async database =>
            {
                request.Database = name;
                IdempotencyKeys.CheckOptional(request.IdempotencyKey);
                var constraint = Check(request.Read, database, query, call);
                if (_past.Asked(request.Read, database) is { } at)
                {
                    using var past = await _past.UseAsync(database, at, query, call);
                    return await WriteAllAsync(
                        past is null
                            ? _context.Forwarder.StreamAsync(database.Id, request, call.Caller(), readsOnly: true, query, call.CancellationToken)
                            : past.Copy.StreamAsync(request, constraint, call.CancellationToken),
                        responses,
                        call);
                }

                if (await UseAsync(database, query, call) is not { } lease)
                {
                    return await WriteAllAsync(_near.StreamAsync(database, request, constraint, query, call), responses, call);
                }

                var hasAnswered = false;
                RequestException? lost = null;
                try
                {
                    return await WriteAllAsync(lease.Grain.StreamAsync(request, constraint, call.CancellationToken), responses, call, () => hasAnswered = true);
                }
                catch (RequestException refused) when (!hasAnswered && (HasMovedOn(refused, database, call) || IsToBeSettled(refused, request.IdempotencyKey, database, call)))
                {
                    lost = refused.Error.CommitState == CommitState.Unknown ? refused : null;
                    lease.Dispose();
                    lease = default;
                }
                finally
                {
                    lease.Dispose();
                }

                request.Database = name;
                try
                {
                    return await WriteAllAsync(_context.Forwarder.StreamAsync(database.Id, request, call.Caller(), readsOnly: false, query, call.CancellationToken), responses, call);
                }
                catch (Exception e) when (lost is not null && e is RequestException or RpcException)
                {
                    throw lost;
                }
            });

            // A client that reads slowly makes no slow statement.
            _queries.Answered(query, served, work, TimeSpan.FromMilliseconds(work.SqlMs + (served?.QueueMs ?? 0) + (served?.WaitMs ?? 0)));
        }
        catch (Exception e) when (_queries.Failed(query, e, call))
        {
            throw;
        }
        finally
        {
            _queries.End(query);
        }
    }

    /// <remarks>Whatever refuses or ends the transaction is told in its stream, as an answer to a step; a status other than OK comes from the transport alone.</remarks>
    private async ValueTask TransactAsync(IAsyncEnumerable<TransactRequest> requests, IResponseWriter<TransactResponse> responses, ServerCallContext call)
    {
        call.AllowEnd();
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        await using var steps = requests.GetAsyncEnumerator(reading.Token);
        var watch = new StepWatch(_queries, responses);
        var transact = new TransactCall(steps, watch.AnswerAsync, reading);
        try
        {
            if (await transact.NextAsync(call.CancellationToken) is { } first)
            {
                await TransactAsync(first, transact, watch, call);
            }
        }
        catch (RequestException refused)
        {
            await transact.FailAsync(refused, ended: true, call.CancellationToken);
        }
    }

    private async Task TransactAsync(TransactRequest first, TransactCall transact, StepWatch watch, ServerCallContext call)
    {
        var query = _queries.Begin("Transact", [], call);
        watch.Query = query;
        transact.Query = query;
        try
        {
            await TransactAsync(first, transact, query, call);
            _queries.Answered(query, null, default);
        }
        catch (Exception e) when (_queries.Failed(query, e, call))
        {
            throw;
        }
        finally
        {
            _queries.End(query);
        }
    }

    private async Task TransactAsync(TransactRequest first, TransactCall transact, RunningQuery query, ServerCallContext call)
    {
        var begin = first.Begin ?? throw new RequestException(ErrorCodes.InvalidRequest, "A transaction starts with `begin`; nothing was done.");
        if (!begin.ReadOnly && call.Caller() is { MayWrite: false } reader)
        {
            throw reader.WriteRefused();
        }

        var name = begin.Database;
        var database = await _names.FindAsync(name, call);
        IdempotencyKeys.CheckOptional(begin.IdempotencyKey);
        var constraint = Check(begin.Read, database, query, call);
        try
        {
            if (_past.Asked(begin.Read, database) is { } at && await _past.UseAsync(database, at, query, call) is { } past)
            {
                using (past)
                {
                    await past.Copy.TransactAsync(begin, transact, constraint, call.CancellationToken);
                    return;
                }
            }

            if (begin.Read is { AsOf.Length: > 0 } || await UseAsync(database, query, call) is not { } lease)
            {
                await _context.Forwarder.TransactAsync(database.Id, begin, transact, call.Caller(), query, call.CancellationToken);
                return;
            }

            using (lease)
            {
                await lease.Grain.TransactAsync(begin, transact, constraint, call.CancellationToken);
            }
        }
        catch (RpcException moved) when (Forwarding.IsMoved(moved))
        {
            throw await _names.AfterMovedAsync(name, call); // the client's next step may have been read: it has to begin again
        }
    }

    private async ValueTask<DescribeResponse> DescribeAsync(DescribeRequest request, ServerCallContext call)
    {
        var query = _queries.Begin("Describe", [new Statement { Sql = request.Sql }], call);
        try
        {
            var name = request.Database;
            var response = await _names.RunAsync(name, call, async database =>
            {
                request.Database = name;
                var constraint = Check(request.Read, database, query, call);
                if (_past.Asked(request.Read, database) is { } at)
                {
                    using var past = await _past.UseAsync(database, at, query, call);
                    return past is null
                        ? await _context.Forwarder.DescribeAsync(database.Id, request, call.Caller(), query, call.CancellationToken)
                        : await past.Copy.DescribeAsync(request, constraint, call.CancellationToken);
                }

                if (await UseAsync(database, query, call) is not { } lease)
                {
                    return await _context.Forwarder.DescribeAsync(database.Id, request, call.Caller(), query, call.CancellationToken);
                }

                using (lease)
                {
                    return await lease.Grain.DescribeAsync(request, constraint, call.CancellationToken);
                }
            });
            _queries.Answered(query, null, default);
            return response;
        }
        catch (Exception e) when (_queries.Failed(query, e, call))
        {
            throw;
        }
        finally
        {
            _queries.End(query);
        }
    }

    private async ValueTask<GetOutcomeResponse> GetOutcomeAsync(GetOutcomeRequest request, ServerCallContext call)
    {
        var query = _queries.Begin("GetOutcome", [], call);
        try
        {
            var name = request.Database;
            var response = await _names.RunAsync(name, call, async database =>
            {
                request.Database = name;
                query.Database = database.Name;
                IdempotencyKeys.Check(request.IdempotencyKey);
                if (await UseAsync(database, query, call) is not { } lease)
                {
                    return await _context.Forwarder.GetOutcomeAsync(database.Id, request, call.Caller(), query, call.CancellationToken);
                }

                using (lease)
                {
                    return await lease.Grain.GetOutcomeAsync(request, call.Caller(), call.CancellationToken);
                }
            });
            _queries.Answered(query, null, default);
            return response;
        }
        catch (Exception e) when (_queries.Failed(query, e, call))
        {
            throw;
        }
        finally
        {
            _queries.End(query);
        }
    }

    private static async Task<(Served? Served, QueryWork Work)> WriteAllAsync(
        IAsyncEnumerable<EncodedResponse> parts, IResponseWriter<EncodedResponse> responses, ServerCallContext call, Action? onAnswer = null)
    {
        Served? served = null;
        var work = default(QueryWork);
        await foreach (var part in parts)
        {
            onAnswer?.Invoke();
            await responses.WriteAsync(part, call.CancellationToken);
            served = part.Done?.Served ?? served;
            if (part.Result?.End is { } end)
            {
                work.Add(end);
            }
        }

        return (served, work);
    }

    // The primary was here and goes, with nothing done: whoever leads next answers, and the client need not know.
    private bool HasMovedOn(RequestException refused, DatabaseRecord database, ServerCallContext call) =>
        refused.Error is { Code: ErrorCodes.NoPrimary, CommitState: CommitState.NotCommitted } && database.PrimaryNode == _context.Self.Id
        && !call.TryGetRequestHeader(Forwarding.Header, out _) && !call.CancellationToken.IsCancellationRequested;

    // The primary was here, and nobody knows what became of the write: whoever leads next does, by its key.
    private bool IsToBeSettled(RequestException lost, string key, DatabaseRecord database, ServerCallContext call) =>
        key.Length > 0 && lost.Error is { Code: ErrorCodes.WriteOutcomeUnknown, CommitState: CommitState.Unknown } && database.PrimaryNode == _context.Self.Id
        && !call.TryGetRequestHeader(Forwarding.Header, out _) && !call.CancellationToken.IsCancellationRequested;

    private ReadConstraint Check(ReadOptions? read, DatabaseRecord database, RunningQuery query, ServerCallContext call)
    {
        query.Database = database.Name;
        return ReadConstraint.Parse(read, database.Id, _context.Options.WaitTimeout, call.Caller()) with
        {
            Query = query, IsPassedOn = call.TryGetRequestHeader(Forwarding.CopyHeader, out _),
        };
    }

    /// <summary>The primary when it is here, else this node's replica; neither means that the call is passed on.</summary>
    private async ValueTask<GrainLease<IDatabaseCopy>?> UseAsync(DatabaseRecord database, RunningQuery query, ServerCallContext call)
    {
        var isForReplica = call.TryGetRequestHeader(Forwarding.CopyHeader, out _);
        if (database.PrimaryNode == _context.Self.Id && !isForReplica)
        {
            query.Copy = "primary";
            return await _context.Primaries.UseAsync(database.Id, call.CancellationToken);
        }

        if (!isForReplica && call.TryGetRequestHeader(Forwarding.Header, out var by))
        {
            throw new RequestException(
                ErrorCodes.NoPrimary, $"Node {by} takes this node for the primary of '{database.Name}', which is node {database.PrimaryNode}. Try again.");
        }

        query.Copy = "replica";
        if (database.PrimaryNode != _context.Self.Id && database.HasReplicaOn(_context.Self))
        {
            try
            {
                return await _context.Replicas.UseAsync(database.Id, call.CancellationToken);
            }
            catch (RequestException) when (!isForReplica)
            {
                return null; // it ended between the look into the catalogue and now, or cannot be opened: other copies answer
            }
        }

        return isForReplica ? throw Forwarding.NotHere(database.Id) : null;
    }
}
