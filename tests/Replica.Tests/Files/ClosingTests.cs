using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Replica.Tests;

/// <summary>Whatever fails while a copy is closed: nothing stays open that would be in the next one's way.</summary>
public sealed class ClosingTests : IDisposable
{
    private static readonly DatabaseId _database = new(new Guid(1, 0, 0, new byte[8]));

    private readonly TemporaryFolder _folder = new();

    private string FilePath => Path.Combine(_folder.Path, "db.sqlite");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_copy_whose_last_checkpoint_fails_is_closed_all_the_same_and_opens_again()
    {
        using var source = new SourceDatabase(Path.Combine(_folder.Path, "source.sqlite"), _database);
        await using var control = EmbeddedControlPlane.Open(Path.Combine(_folder.Path, "control.sqlite"), new Random(1));
        await using var workers = new BlockingWorkers("test", 2, 100);
        DatabaseFile.CreateEmpty(FilePath, 4096);
        new Sidecar(_database, source.End, source.End).Write(Sidecar.PathOf(FilePath));
        var context = new ReplicaContext
        {
            Self = new NodeRecord("node", "here", new Uri("http://localhost:1"), new Uri("http://localhost:2"), Guid.NewGuid()),
            Forwarder = null!, // nobody asks for the primary here
            Control = control,
            Channels = null!,
            Workers = workers,
            IdleCheckpoints = new(TimeProvider.System),
            FolderOf = _ => _folder.Path,
            Time = TimeProvider.System,
            Logger = NullLogger.Instance,
        };
        var copy = Open(context);
        Assert.True(copy.Welcome(1, EpochTable.Empty));
        var entry = source.Write("CREATE TABLE t (x)");
        Assert.Equal(FeedVerdict.GoOn, copy.Take(1, entry));
        Assert.Equal(FeedVerdict.GoOn, copy.TakeMark(1, entry.End));
        Assert.Equal(entry.End, copy.Visible);
        var obstacle = Directory.CreateDirectory(LogStateFile.PathOf(FilePath) + ".tmp"); // as a full disk is: the state beside the file cannot be written
        await copy.DisposeAsync();
        obstacle.Delete();

        var again = Open(context);
        Assert.True(again.Welcome(1, EpochTable.Empty));
        Assert.Equal(FeedVerdict.GoOn, again.Take(1, entry));
        again.TakeMark(1, entry.End);
        await again.DisposeAsync();
        Assert.Equal(entry.End, Sidecar.Read(Sidecar.PathOf(FilePath))!.From);
    }

    [Fact]
    public async Task A_snapshot_is_closed_also_when_the_workers_take_no_more()
    {
        DatabaseFile.CreateEmpty(FilePath, 4096);
        var workers = new BlockingWorkers("test", 1, 1);
        var sender = new SnapshotSender(SnapshotReader.Open(FilePath), Position.Start, 0, workers, TimeProvider.System);
        await workers.DisposeAsync();
        await sender.DisposeAsync();
        LocalFile.DiscardWal(FilePath); // refuses while there is a connection
    }

    private static ReplicaCopy Open(ReplicaContext context)
    {
        var copy = new ReplicaCopy(context, _database, new BookmarkWaiters(TimeProvider.System));
        copy.Open();
        Assert.True(copy.HasFile);
        return copy;
    }
}
