using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Snapshots of the primary's file with the end of the log that they show, confirmed or not: what is read from them passes the gate there.</summary>
/// <remarks>
/// The lock is held around COMMIT, capture and append, so that no snapshot can show a commit before it has its position. A VACUUM is one long COMMIT: while it runs, the state
/// before it is opened, which needs no lock, for its position does not change.
/// </remarks>
internal sealed class SnapshotSource(Lock commit, ReplicatedLog log, PrimaryFile file) : ISnapshotSource<Position>
{
    public Position Open(PreparedRead read)
    {
        if (file.BeforeVacuum is { } before && TryBegin(() => read.BeginSnapshot(before.Visible)))
        {
            return before.End;
        }

        lock (commit)
        {
            read.BeginSnapshot();
            return log.Appended;
        }
    }

    public bool TryOpen(PreparedRead read, out Position mark)
    {
        mark = default;
        if (!commit.TryEnter())
        {
            return false; // a commit may be a large one
        }

        try
        {
            read.BeginSnapshot();
            mark = log.Appended;
            return true;
        }
        finally
        {
            commit.Exit();
        }
    }

    public (HeldSnapshot Snapshot, Position Mark) Hold(QueryConnection connection)
    {
        HeldSnapshot? held = null;
        if (file.BeforeVacuum is { } before && TryBegin(() => held = connection.HoldSnapshot(before.Visible)))
        {
            return (held!, before.End);
        }

        lock (commit)
        {
            return (connection.HoldSnapshot(), log.Appended);
        }
    }

    public Position Now()
    {
        lock (commit)
        {
            return log.Appended;
        }
    }

    // It cannot be opened when the VACUUM has just begun the WAL anew with its first page: then it is nearly over, and the lock is worth waiting for.
    private static bool TryBegin(Action begin)
    {
        try
        {
            begin();
            return true;
        }
        catch (RequestException)
        {
            return false;
        }
    }
}
