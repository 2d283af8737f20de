using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Follower;

/// <summary>A database's durable log in whatever journal is open when it is asked.</summary>
internal sealed class CurrentLogView(FollowerNode node, DatabaseId database) : ILogView
{
    public Position First => Journal.FirstOf(database);

    public Position Last => Journal.LastOf(database);

    private NodeJournal Journal => node.OpenedJournal ?? throw new JournalFailedException(node.Trouble ?? "it is being opened again");

    public bool Holds(Position position) => Journal.Holds(database, position);

    public Position FloorOf(uint epoch, ulong sequence) => Journal.FloorOf(database, epoch, sequence);
}
