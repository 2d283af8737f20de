using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Snapshots of the primary's file with the end of the log that they show, confirmed or not: what is read from them passes the gate there.</summary>
/// <remarks>The lock is held around COMMIT, capture and append, so that no snapshot can show a commit before it has its position.</remarks>
internal sealed class SnapshotSource(Lock commit, ReplicatedLog log) : ISnapshotSource<Position>
{
    public Position Open(PreparedRead read)
    {
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
}
