using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A Transact call message by message, as any client of the contract may speak it.</summary>
internal sealed class RawTransaction : IAsyncDisposable
{
    private readonly DuplexCall<TransactRequest, TransactResponse> _call;
    private readonly IAsyncEnumerator<TransactResponse> _responses;

    public RawTransaction(GrpcChannel channel)
    {
        _call = channel.OpenDuplex(QueryMethods.Transact);
        _responses = _call.Responses.GetAsyncEnumerator();
    }

    public static async Task<RawTransaction> BeginAsync(GrpcChannel channel, TransactRequest.Types.Begin begin)
    {
        var transaction = new RawTransaction(channel);
        await transaction.SendAsync(new TransactRequest { Begin = begin });
        Assert.NotNull((await transaction.NextAsync())!.Done);
        return transaction;
    }

    public static TransactRequest Sql(params string[] statements)
    {
        var step = new TransactRequest.Types.Statements();
        step.Statements_.Add(statements.Select(sql => new Statement { Sql = sql }));
        return new TransactRequest { Execute = step };
    }

    public Task SendAsync(TransactRequest step) => _call.WriteAsync(step).AsTask();

    /// <summary>The next message; null at the end of the call.</summary>
    public async Task<TransactResponse?> NextAsync() => await _responses.MoveNextAsync().AsTask().InTimeAsync() ? _responses.Current : null;

    /// <summary>Sends a step and gives all of its answer.</summary>
    public async Task<List<TransactResponse>> AskAsync(TransactRequest step)
    {
        await SendAsync(step);
        var answer = new List<TransactResponse>();
        do
        {
            answer.Add((await NextAsync())!);
        }
        while (answer[^1].Result is not null);
        return answer;
    }

    public ValueTask DisposeAsync() => _call.DisposeAsync();
}
