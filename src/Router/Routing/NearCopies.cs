using System.Runtime.CompilerServices;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Router;

/// <summary>Answers where this node has no copy: sessions are read at the nearest copy that lives, everything else at the primary.</summary>
/// <remarks>
/// A replica that is asked this way only reads, so that whatever goes wrong on the way, asking another is no harm; nor is it at the primary where the text is plainly a read. One that
/// fails is put aside for a moment; one whose node falls silent is left in the middle of the call.
/// </remarks>
internal sealed class NearCopies(RouterContext context)
{
    private const int MostAsked = 2; // replicas, before the primary is

    public async Task<ExecuteResponse> ExecuteAsync(DatabaseRecord database, ExecuteRequest request, ReadConstraint constraint, RunningQuery query, ServerCallContext call)
    {
        var name = request.Database;
        var failed = 0;
        foreach (var node in Candidates(database, constraint, request.Statements, request.IdempotencyKey))
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, context.Reach.SilenceOf(node.Id));
            try
            {
                var options = Options(database, node, request, name, query, call);
                query.Stage = Sqlite.RequestStage.Forwarded;
                return Count(await context.Channels.ForQueries(node).CallAsync(QueryMethods.Execute, request, options, silence.Token), failed);
            }
            catch (RpcException e) when (Forwarding.IsNotHere(e))
            {
                break; // it writes, or that replica has not come so far
            }
            catch (Exception e) when (MayAskAnother(e, node, call))
            {
                failed++;
            }
        }

        request.Database = name;
        return Count(await context.Forwarder.ExecuteAsync(database.Id, request, call.Caller(), readsOnly: false, query, call.CancellationToken), failed);
    }

    public async IAsyncEnumerable<EncodedResponse> StreamAsync(
        DatabaseRecord database, StreamRequest request, ReadConstraint constraint, RunningQuery query, ServerCallContext call,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var name = request.Database;
        var failed = 0;
        foreach (var node in Candidates(database, constraint, request.Statements, request.IdempotencyKey))
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, context.Reach.SilenceOf(node.Id));
            var options = Options(database, node, request, name, query, call);
            query.Stage = Sqlite.RequestStage.Forwarded;
            await using var stream = context.Channels.ForQueries(node).OpenServerStream(QueryMethods.EncodedStream, request, options, silence.Token);
            await using var parts = stream.GetAsyncEnumerator(silence.Token);
            var hasAnswered = false;
            var asksPrimary = false;
            while (true)
            {
                try
                {
                    if (!await parts.MoveNextAsync())
                    {
                        yield break;
                    }
                }
                catch (RpcException e) when (!hasAnswered && Forwarding.IsNotHere(e))
                {
                    asksPrimary = true;
                    break;
                }
                catch (Exception e) when (MayAskAnother(e, node, call))
                {
                    failed++;
                    if (!hasAnswered)
                    {
                        break;
                    }

                    throw new RequestException(ErrorCodes.NoPrimary, $"Node {node.Id}, which read for this one, went away before it had answered. Nothing was written; try again.");
                }

                hasAnswered = true;
                if (parts.Current.Done?.Served is { } served)
                {
                    served.TotalAttempts += (uint)failed;
                }

                yield return parts.Current;
            }

            if (asksPrimary)
            {
                break;
            }
        }

        request.Database = name;
        await foreach (var part in context.Forwarder.StreamAsync(database.Id, request, call.Caller(), readsOnly: false, query, call.CancellationToken))
        {
            if (part.Done?.Served is { } served)
            {
                served.TotalAttempts += (uint)failed;
            }

            yield return part;
        }
    }

    // What has a key most likely writes. Each is looked for when the one before has failed.
    private IEnumerable<NodeRecord> Candidates(DatabaseRecord database, ReadConstraint constraint, IReadOnlyList<Statement> statements, string key)
    {
        if (constraint.WantsPrimary || key.Length > 0)
        {
            yield break;
        }

        foreach (var replica in Replicas(database))
        {
            yield return replica;
        }

        // The primary is the nearest. A read that it leaves without an answer need not wait until somebody else leads.
        if (!context.Reach.IsSilent(database.PrimaryNode) && PlainReads.Are(statements) && context.Control.Nodes.FirstOrDefault(node => node.Id == database.PrimaryNode) is { } primary)
        {
            yield return primary;
            foreach (var replica in context.Reach.IsSilent(primary.Id) ? Replicas(database) : [])
            {
                yield return replica;
            }
        }
    }

    // Nearer than the primary, or the primary does not answer.
    private IEnumerable<NodeRecord> Replicas(DatabaseRecord database)
    {
        var reach = context.Reach;
        var toPrimary = reach.IsAside(database.PrimaryNode) ? TimeSpan.MaxValue : reach.RoundTripTo(database.PrimaryNode) ?? TimeSpan.MaxValue;
        return context.Control.Nodes
            .Where(node => node.Id != context.Self.Id && node.Id != database.PrimaryNode && database.HasReplicaOn(node) && !reach.IsAside(node.Id) && !reach.IsLeaving(node.Id))
            .Select(node => (Node: node, RoundTrip: reach.RoundTripTo(node.Id)))
            .Where(pair => pair.RoundTrip < toPrimary)
            .OrderBy(static pair => pair.RoundTrip)
            .Select(static pair => pair.Node)
            .Take(MostAsked);
    }

    private CallOptions Options<TRequest>(DatabaseRecord database, NodeRecord node, TRequest request, string name, RunningQuery query, ServerCallContext call)
    {
        var options = context.Forwarder.Options(database.Id, name, call.Caller(), query);
        if (node.Id != database.PrimaryNode)
        {
            options.Headers!.Add(Forwarding.CopyHeader, "1");
        }

        switch (request)
        {
            case ExecuteRequest execute:
                execute.Database = database.Id.ToString();
                break;
            case StreamRequest stream:
                stream.Database = database.Id.ToString();
                break;
        }

        return options;
    }

    // Whatever it is, if it is not about the request: another copy may do better.
    private bool MayAskAnother(Exception failure, NodeRecord node, ServerCallContext call)
    {
        var mayAsk = !call.CancellationToken.IsCancellationRequested && failure switch
        {
            OperationCanceledException => true, // its node is silent
            RpcException rpc => rpc.Origin != RpcFailureOrigin.Server
                || rpc.FindDetail<SqlError>() is { Code: ErrorCodes.NoPrimary or ErrorCodes.CopyStale or ErrorCodes.Overloaded or ErrorCodes.SqliteCorrupt or ErrorCodes.Internal },
            _ => false,
        };
        if (mayAsk)
        {
            context.Reach.Failed(node.Id);
        }

        return mayAsk;
    }

    private static ExecuteResponse Count(ExecuteResponse response, int failed)
    {
        if (response.Served is { } served)
        {
            served.TotalAttempts += (uint)failed;
        }

        return response;
    }
}
