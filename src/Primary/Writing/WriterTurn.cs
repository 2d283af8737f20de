using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Primary;

/// <summary>The writer, lent to one caller until it is given back. Groups, checkpoints and other callers wait. It holds no thread.</summary>
/// <param name="position">The log's end, which stays until this turn commits.</param>
/// <param name="queueMs">How long it was waited for.</param>
internal sealed class WriterTurn(Position position, double queueMs) : IDisposable
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Position Position { get; } = position;

    public double QueueMs { get; } = queueMs;

    /// <summary>It was given back; fails if the connection's state is not known any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Gives the writer back. No transaction is open on it.</summary>
    public void Dispose() => _ended.TrySetResult();

    /// <summary>The connection cannot be used any more: this primary ends.</summary>
    public void Fail(Exception reason) => _ended.TrySetException(reason);
}
