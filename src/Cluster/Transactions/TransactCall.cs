using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Cluster;

/// <summary>A Transact call as its handler sees it: the client's steps, and the answers to them. One of each at a time.</summary>
/// <remarks>The next step is read only when the last one is answered, so that the transport's flow control holds an eager client back.</remarks>
/// <param name="steps">The requests, whose enumeration ends with <paramref name="reading"/>.</param>
/// <param name="answer">Sends one response.</param>
/// <param name="reading">Cancelled to give up a wait for the next step; nothing can be read after that.</param>
public sealed class TransactCall(
    IAsyncEnumerator<TransactRequest> steps, Func<TransactResponse, CancellationToken, ValueTask> answer, CancellationTokenSource reading)
{
    /// <summary>The call as operators see it; <see langword="null"/> when nobody looks.</summary>
    public RunningQuery? Query { get; set; }

    /// <summary>The next step; <see langword="null"/> when no more come.</summary>
    /// <exception cref="OperationCanceledException">The client has gone, or the token ended the wait.</exception>
    public async ValueTask<TransactRequest?> NextAsync(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), reading);
        return await steps.MoveNextAsync() ? steps.Current : null;
    }

    /// <summary>Sends a message of an answer.</summary>
    public ValueTask AnswerAsync(TransactResponse response, CancellationToken cancellationToken) => answer(response, cancellationToken);

    /// <summary>Answers a step with its success.</summary>
    public ValueTask AnswerAsync(Done done, CancellationToken cancellationToken) => answer(new TransactResponse { Done = done }, cancellationToken);

    /// <summary>Answers a step with its failure.</summary>
    /// <param name="failure">Why.</param>
    /// <param name="ended">The transaction is over: rolled back, or of unknown outcome as the error says.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public ValueTask FailAsync(RequestException failure, bool ended, CancellationToken cancellationToken) => answer(
        new TransactResponse { Failed = new() { Error = failure.Error, Message = failure.Message, Ended = ended } }, cancellationToken);
}
