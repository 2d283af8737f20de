using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>Snapshots of the last confirmed state of the primary's file, as a replica would show it: for those who may read an older state while followers are missed.</summary>
internal sealed class ConfirmedSource(Lock commit, ReplicatedLog log, PrimaryFile file) : ISnapshotSource<Position>
{
    public Position Open(PreparedRead read)
    {
        lock (commit)
        {
            if (Past() is not { } past)
            {
                read.BeginSnapshot();
                return log.Appended;
            }

            read.BeginSnapshot(past.State);
            return past.End;
        }
    }

    public bool TryOpen(PreparedRead read, out Position mark)
    {
        mark = default;
        return false; // rare, so always on a worker
    }

    public (HeldSnapshot Snapshot, Position Mark) Hold(QueryConnection connection)
    {
        lock (commit)
        {
            return Past() is { } past ? (connection.HoldSnapshot(past.State), past.End) : (connection.HoldSnapshot(), log.Appended);
        }
    }

    // A text is prepared from the newest schema, so an error that this finds is as new.
    public Position Now()
    {
        lock (commit)
        {
            return log.Appended;
        }
    }

    // Under the lock. SQLite wants a free place for a reader at an older state, and idle ones may have kept all. Once everything is confirmed there is no past to look for, and a checkpoint may have overwritten it.
    private (Position End, WalIndexHeader State)? Past()
    {
        if (file.States.Find(log.Confirmed) is not { } past || past.End >= log.Appended)
        {
            return null;
        }

        file.Readers.LetGo();
        return past;
    }
}
