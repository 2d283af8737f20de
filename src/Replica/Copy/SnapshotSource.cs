using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Replica;

/// <summary>Snapshots of a replica's file. Nobody has to be waited for: all that readers can see is confirmed.</summary>
/// <remarks>Snapshot first, mark second: the mark was raised before the snapshot could show more.</remarks>
internal sealed class SnapshotSource(ReplicaCopy copy) : ISnapshotSource<VisibleMark?>
{
    public VisibleMark? Open(PreparedRead read)
    {
        read.BeginSnapshot();
        return copy.Mark;
    }

    public bool TryOpen(PreparedRead read, out VisibleMark? mark)
    {
        mark = Open(read);
        return true;
    }

    public (HeldSnapshot Snapshot, VisibleMark? Mark) Hold(QueryConnection connection) => (connection.HoldSnapshot(), copy.Mark);

    public VisibleMark? Now() => copy.Mark;
}
