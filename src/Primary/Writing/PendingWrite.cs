using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>A request in the writer's queue, and the task that its caller waits for.</summary>
internal sealed class PendingWrite(SqlRequest request, long enqueuedAt)
    : TaskCompletionSource<WriteAnswer>(TaskCreationOptions.RunContinuationsAsynchronously), IWaiting
{
    public SqlRequest Request { get; } = request;

    public long EnqueuedAt { get; } = enqueuedAt;

    /// <summary>Its idempotency key, if it has one.</summary>
    public KeyedRequest? Keyed { get; } = request.Steps as KeyedRequest;

    public bool HasGivenUp()
    {
        if (Request.Cancellation.IsCancellationRequested)
        {
            TrySetCanceled(Request.Cancellation);
        }

        return Task.IsCompleted;
    }

    public void Refuse(Exception reason) => TrySetException(reason);
}

/// <summary>A write that is confirmed, or that failed with nothing done.</summary>
/// <param name="Outcome">Results, or the error.</param>
/// <param name="Bookmark">Of the write; for an error or a read, of what it was computed from.</param>
/// <param name="QueueMs">Wait for the writer.</param>
/// <param name="IsProven">An entry was confirmed behind it, so this primary was the primary.</param>
internal readonly record struct WriteAnswer(MemberOutcome Outcome, string Bookmark, double QueueMs, bool IsProven);
