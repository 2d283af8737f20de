using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.Node;

/// <summary>What is uploaded of a database by a node that only follows it: the confirmed part of the log in its journal. There is no main file to take a snapshot of.</summary>
internal sealed class JournalUploadSource(FollowerNode follower, DatabaseId database) : IUploadSource
{
    public DatabaseId Database => database;

    public Position Confirmed => follower.ConfirmedOf(database);

    public Position First => Journal.FirstOf(database);

    public long DatabaseBytes => 0;

    public EpochTable? Epochs => null;

    public bool Holds(Position position) => follower.LogOf(database).Holds(position);

    public IReadOnlyList<Entry> Read(Position after, long maxBytes) => after < Journal.LastOf(database) ? Journal.ReadFrom(database, after, maxBytes) : [];

    public IMainFile? OpenMainFile() => null;

    private NodeJournal Journal => follower.OpenedJournal ?? throw new JournalFailedException(follower.Trouble ?? "it is being opened again");
}
