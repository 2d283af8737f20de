using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;

namespace ReplicatedSqlite.Primary;

/// <summary>What is uploaded of a database by the node that leads it: the log of its own journal, and the main file beside it.</summary>
internal sealed class PrimaryUploadSource(PrimaryContext context, PrimaryFile file, ReplicatedLog log, EpochTable epochs) : IUploadSource
{
    public DatabaseId Database => log.Database;

    public Position Confirmed => log.Confirmed;

    public Position First => context.OwnFollower.LogOf(Database).First;

    public long DatabaseBytes => file.SizeBytes;

    public EpochTable Epochs => epochs;

    public ColdRecord? Record => context.Control.Find(Database) is { } record ? ArchivedRecord.Of(record) : null;

    public bool Holds(Position position) => context.OwnFollower.LogOf(Database).Holds(position);

    // The own journal may be behind the others.
    public IReadOnlyList<Entry> Read(Position after, long maxBytes) => after < context.OwnFollower.LogOf(Database).Last ? context.OwnFollower.Read(Database, after, maxBytes) : [];

    public IMainFile OpenMainFile() => new MainFileOf(LiveMainFile.Open(file.Path, Database));

    private sealed class MainFileOf(LiveMainFile file) : IMainFile
    {
        public int PageSizeBytes => file.PageSizeBytes;

        public (Position From, Position To) ReadMarks() => file.ReadMarks();

        public int ReadPages(uint firstPage, Span<byte> target) => file.ReadPages(firstPage, target);

        public void Dispose() => file.Dispose();
    }
}
