namespace ReplicatedSqlite.Sqlite;

/// <summary>A function as work, its result as a task.</summary>
internal sealed class BlockingCall<T>(Func<T> call) : BlockingWork
{
    // The caller goes on elsewhere: the worker's thread is for SQLite.
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => _done.Task;

    public override void Run() => _done.SetResult(call());

    public override void Refuse(Exception reason)
    {
        if (reason is OperationCanceledException cancelled)
        {
            _done.TrySetCanceled(cancelled.CancellationToken);
        }
        else
        {
            _done.TrySetException(reason);
        }
    }
}
