namespace ReplicatedSqlite.Sqlite;

/// <summary>Opens snapshots of one copy's file and says which position they show. Safe for use by any thread.</summary>
/// <typeparam name="TMark">What the copy calls a position.</typeparam>
public interface ISnapshotSource<TMark>
{
    /// <summary>Opens a read's snapshot.</summary>
    /// <returns>A position at or after what it shows.</returns>
    TMark Open(PreparedRead read);

    /// <summary>The same, unless that would have to wait for a writer.</summary>
    bool TryOpen(PreparedRead read, out TMark mark);

    /// <summary>Opens a snapshot that outlives a request.</summary>
    (HeldSnapshot Snapshot, TMark Mark) Hold(QueryConnection connection);

    /// <summary>A position at or after everything that the file shows now.</summary>
    TMark Now();
}
