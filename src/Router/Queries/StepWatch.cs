using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc.Server;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Router;

/// <summary>Sees the answers of an interactive transaction on their way out, and sums up what each of its steps did.</summary>
internal sealed class StepWatch(RunningQueries queries, IResponseWriter<TransactResponse> responses)
{
    private QueryWork _work; // of the step under way; answers come one after the other

    /// <summary>The transaction, once it was let in.</summary>
    public RunningQuery? Query { get; set; }

    public ValueTask AnswerAsync(TransactResponse response, CancellationToken cancellationToken)
    {
        if (response.Result?.End is { } end)
        {
            _work.Add(end);
        }
        else if (response.Result is null && Query is { Stage: RequestStage.Running } query)
        {
            queries.StepEnded(query, _work, response.Failed?.Error.Code ?? "OK");
            _work = default;
        }

        return responses.WriteAsync(response, cancellationToken);
    }
}
