namespace ReplicatedSqlite.Sqlite;

/// <summary>A piece of work that blocks its thread, such as running a statement.</summary>
public abstract class BlockingWork
{
    /// <summary>Does the work, on a worker's thread. What it throws goes to <see cref="Refuse"/>.</summary>
    public abstract void Run();

    /// <summary>The work did not run, or failed with an exception of its own. Called once at most, and never after a run that ended well.</summary>
    public abstract void Refuse(Exception reason);
}
