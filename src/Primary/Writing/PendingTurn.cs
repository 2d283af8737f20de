namespace ReplicatedSqlite.Primary;

/// <summary>A caller in the queue who wants the writer for himself.</summary>
internal sealed class PendingTurn(long enqueuedAt, CancellationToken cancellation)
    : TaskCompletionSource<WriterTurn>(TaskCreationOptions.RunContinuationsAsynchronously), IWaiting
{
    public long EnqueuedAt { get; } = enqueuedAt;

    public bool HasGivenUp()
    {
        if (cancellation.IsCancellationRequested)
        {
            TrySetCanceled(cancellation);
        }

        return Task.IsCompleted;
    }

    public void Refuse(Exception reason) => TrySetException(reason);
}
