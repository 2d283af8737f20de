using Google.Protobuf.WellKnownTypes;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>Shows and ends requests: those of this node, and by asking the others those of all.</summary>
internal sealed class QueryAdmin(RouterContext context, RunningQueries queries, RunningTransfers transfers)
{
    private static readonly CallOptions _patience = new() { Timeout = TimeSpan.FromSeconds(2) };

    public async Task<ListQueriesResponse> ListAsync(ListQueriesRequest request, ServerCallContext call)
    {
        var database = request.Database.Length == 0 ? null
            : context.Control.Find(request.Database) ?? throw DatabaseNames.NotFound(request.Database);
        var response = new ListQueriesResponse();
        response.Queries.AddRange(queries.Snapshot().Where(query => database is null || query.Database == database.Name).Select(Describe));
        response.Queries.AddRange(transfers.Snapshot().Where(transfer => database is null || transfer.Database == database.Name).Select(Describe));
        if (request.ThisNode)
        {
            return response;
        }

        var asked = new ListQueriesRequest { Database = request.Database, ThisNode = true };
        foreach (var (node, answer) in await AskOthersAsync(AdminMethods.ListQueries, asked, call))
        {
            if (answer is null)
            {
                response.MissingNodes.Add(node.Id);
            }
            else
            {
                response.Queries.AddRange(answer.Queries);
            }
        }

        var sorted = response.Queries.OrderByDescending(static query => query.Age.ToTimeSpan()).ThenBy(static query => query.Id, StringComparer.Ordinal).ToList();
        response.Queries.Clear();
        response.Queries.AddRange(sorted);
        return response;
    }

    public async Task<KillQueryResponse> KillAsync(KillQueryRequest request, ServerCallContext call)
    {
        var answers = new List<KillQueryResponse>();
        if (queries.Kill(request.Id) is { } own)
        {
            answers.Add(own);
        }
        else if (transfers.Snapshot().Any(transfer => transfer.Id == request.Id))
        {
            answers.Add(new KillQueryResponse { Reason = "It is an export or import, which ends with the call that asked for it." });
        }

        var missing = 0;
        if (!request.ThisNode && !answers.Exists(static answer => answer.Interrupted))
        {
            var others = await AskOthersAsync(AdminMethods.KillQuery, new KillQueryRequest { Id = request.Id, ThisNode = true }, call);
            missing = others.Count(static other => other.Answer is null);
            answers.AddRange(others.Select(static other => other.Answer).OfType<KillQueryResponse>().Where(static answer => answer.Interrupted || answer.Reason.Length > 0));
        }

        // Whoever carries it out knows best; who has passed it on says least.
        return answers.Find(static answer => answer.Interrupted)
            ?? answers.LastOrDefault()
            ?? (request.ThisNode ? new KillQueryResponse() : throw NotFound(request.Id, missing));
    }

    private async Task<IReadOnlyList<(NodeRecord Node, TResponse? Answer)>> AskOthersAsync<TRequest, TResponse>(
        GrpcMethod<TRequest, TResponse> method, TRequest request, ServerCallContext call)
        where TRequest : class, Google.Protobuf.IMessage<TRequest>, new()
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new()
    {
        var options = _patience with { Headers = new Metadata { { Forwarding.Header, context.Self.Id }, { Forwarding.CallerHeader, call.Caller().ToHeader() } } };
        return await Task.WhenAll(context.Control.Nodes.Where(node => node.Id != context.Self.Id).Select(async node =>
        {
            try
            {
                return (node, (TResponse?)await context.Channels.ForQueries(node).CallAsync(method, request, options, call.CancellationToken));
            }
            catch (RpcException)
            {
                return (node, null);
            }
        }));
    }

    private QueryInfo Describe(RunningQuery query) => new()
    {
        Id = query.Id,
        NodeId = context.Self.Id,
        Database = query.Database,
        Method = query.Method,
        State = query.Stage switch
        {
            RequestStage.WaitingForBookmark => QueryState.WaitingForBookmark,
            RequestStage.Running => QueryState.Running,
            RequestStage.WaitingForQuorum => QueryState.WaitingForQuorum,
            RequestStage.Forwarded => QueryState.Forwarded,
            RequestStage.Idle => QueryState.Idle,
            _ => QueryState.Queued,
        },
        Age = Duration.FromTimeSpan(query.Age),
        Sql = RunningQueries.TextOf(query),
    };

    private QueryInfo Describe(RunningTransfers.RunningTransfer transfer) => new()
    {
        Id = transfer.Id, NodeId = context.Self.Id, Database = transfer.Database, Method = transfer.Method, State = QueryState.Running, Age = Duration.FromTimeSpan(transfer.Age),
    };

    private static RequestException NotFound(string id, int missing) => new(
        ErrorCodes.QueryNotFound,
        $"There is no request '{(id.Length <= 80 ? id : id[..80])}': it may be over. " + (missing == 0 ? "ListQueries shows what runs." : $"{missing} nodes did not answer; it may be there."));
}
