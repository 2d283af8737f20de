using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Cluster;

/// <summary>One database's durable log in a node's journal, as the cores see it. May read the disk.</summary>
public sealed class JournalLogView(NodeJournal journal, DatabaseId database) : ILogView
{
    /// <inheritdoc/>
    public Position First => journal.FirstOf(database);

    /// <inheritdoc/>
    public Position Last => journal.LastOf(database);

    /// <inheritdoc/>
    public bool Holds(Position position) => journal.Holds(database, position);

    /// <inheritdoc/>
    public Position FloorOf(uint epoch, ulong sequence) => journal.FloorOf(database, epoch, sequence);
}
