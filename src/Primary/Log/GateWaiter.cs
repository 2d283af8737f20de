namespace ReplicatedSqlite.Primary;

/// <summary>An answer that waits at the gate.</summary>
internal abstract class GateWaiter
{
    /// <summary>The wait is over. Called once, outside every lock, on the thread that confirmed: hand over and return.</summary>
    /// <param name="passed">What the answer was computed from is confirmed; else it never will be here.</param>
    public abstract void Complete(bool passed);
}

/// <summary>A wait that a task stands for.</summary>
internal sealed class TaskGateWaiter : GateWaiter
{
    private readonly TaskCompletionSource<bool> _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<bool> Passed => _passed.Task;

    public override void Complete(bool passed) => _passed.TrySetResult(passed);
}
