using Microsoft.Extensions.Logging.Abstractions;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Follower;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using ReplicatedSqlite.Sqlite;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Primary.Tests;

/// <summary>A node's primary of one database on real files: catalogue, journal, workers, grain.</summary>
internal sealed class PrimaryFixture : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const int MaxTries = 600; // 50 ms apart

    private readonly TemporaryFolder _folder;
    private readonly PrimaryOptions _options;
    private readonly TimeProvider _time;
    private PrimaryGrain? _grain;
    private BlockingWorkers _workers = null!;
    private EmbeddedControlPlane _control = null!;

    private PrimaryFixture(TemporaryFolder folder, PrimaryOptions options, TimeProvider time, DatabaseId database)
    {
        (_folder, _options, _time, Database) = (folder, options, time, database);
    }

    public DatabaseId Database { get; }

    public IdleCheckpoints IdleCheckpoints { get; } = new(TimeProvider.System);

    public GatedDisk Disk { get; private set; } = null!;

    public FollowerNode Follower { get; private set; } = null!;

    public NodeJournal Journal => Follower.OpenedJournal!;

    public PrimaryGrain Grain => _grain ?? throw new InvalidOperationException("There is no primary now.");

    public string File => Path.Combine(_folder.Path, Database.ToString(), "db.sqlite");

    public string JournalFolder => Path.Combine(_folder.Path, "journal");

    public static async Task<PrimaryFixture> StartAsync(PrimaryOptions? options = null, TimeProvider? time = null)
    {
        var fixture = new PrimaryFixture(new TemporaryFolder(), options ?? new PrimaryOptions(), time ?? TimeProvider.System, new DatabaseId(Guid.NewGuid()));
        fixture.OpenNode();
        await fixture._control.CreateAsync(new DatabaseRecord
        {
            Id = fixture.Database, Name = "app", CreatedAt = DateTimeOffset.UnixEpoch, PrimaryRegion = "here", PrimaryNode = "node",
        });
        await fixture.ActivateAsync();
        return fixture;
    }

    /// <summary>What a process finds that starts after this one was killed right now.</summary>
    /// <remarks>
    /// Files cannot be copied at one moment. The journal's syncs are held meanwhile, so that nothing is answered; and the sidecar comes before the file, so that
    /// a checkpoint under way leaves the copy what it would leave after a kill: a file with newer pages than the sidecar tells, and the log that replaces them.
    /// </remarks>
    public async Task<PrimaryFixture> KilledCopyAsync()
    {
        var folder = new TemporaryFolder();
        Disk.Hold();
        Sidecar? sidecar;
        do
        {
            // A file that is newer than its sidecar says is nothing that a kill leaves: the sidecar goes first when a checkpoint begins.
            sidecar = Sidecar.Read(Sidecar.PathOf(File));
            await folder.CopyInAsync([Sidecar.PathOf(File), LogStateFile.PathOf(File)], Database.ToString());
            await folder.CopyInAsync([File, File + "-wal", File + "-shm"], Database.ToString());
        }
        while (Sidecar.Read(Sidecar.PathOf(File)) != sidecar);

        await folder.CopyInAsync([Path.Combine(_folder.Path, "control.sqlite"), Path.Combine(_folder.Path, "control.sqlite-wal"), JournalFolder], "");
        Disk.Release();
        var copy = new PrimaryFixture(folder, _options, _time, Database);
        copy.OpenNode();
        return copy;
    }

    public void OpenNode()
    {
        Disk = new GatedDisk();
        Follower = FollowerNode.Start(
            new FollowerNodeOptions { Folder = JournalFolder, Journal = new JournalOptions { FileSizeBytes = 64 << 10 }, Disk = Disk }, TimeProvider.System, new Random(1), NullLogger.Instance);
        _control = EmbeddedControlPlane.Open(Path.Combine(_folder.Path, "control.sqlite"), new Random(2));
        _workers = new BlockingWorkers("test", 4, 1000);
    }

    public async Task ActivateAsync()
    {
        var context = new PrimaryContext
        {
            Self = new NodeRecord("node", "here", new Uri("http://localhost:1"), new Uri("http://localhost:2"), Follower.JournalId),
            Control = _control,
            OwnFollower = Follower,
            Followers = new FollowerLinks(Follower, static _ => null, "node", TimeProvider.System),
            Writers = _workers,
            Readers = _workers,
            IdleCheckpoints = IdleCheckpoints,
            FolderOf = id => Path.Combine(_folder.Path, id.ToString()),
            Time = _time,
            LeaseTime = TimeProvider.System,
            Logger = NullLogger.Instance,
            Options = _options with { QuorumPatience = Patience },
        };
        _grain = (PrimaryGrain)await PrimaryGrain.ActivateAsync(context, Database, TestContext.Current.CancellationToken).WaitAsync(Patience);
    }

    public async Task DeactivateAsync()
    {
        var grain = Grain;
        _grain = null;
        await grain.DisposeAsync().AsTask().WaitAsync(Patience);
    }

    public async Task CloseNodeAsync()
    {
        Disk.Release();
        await Follower.DisposeAsync();
        await _workers.DisposeAsync();
        await _control.DisposeAsync();
        Disk.Dispose();
    }

    /// <summary>A clean stop and start of the node.</summary>
    public async Task RestartAsync()
    {
        await DeactivateAsync();
        await CloseNodeAsync();
        OpenNode();
        await ActivateAsync();
    }

    /// <summary>Takes the primary of one <c>ExecuteAsync</c> at face value, without waiting.</summary>
    public Task<ExecuteResponse> Execute(string sql, string session = "first-primary")
    {
        var request = new ExecuteRequest { Database = Database.ToString(), Read = new ReadOptions { Session = session } };
        request.Statements.Add(new Statement { Sql = sql });
        return Grain.ExecuteAsync(request, ReadConstraint.Parse(request.Read, Database, Patience, Caller.Anonymous), TestContext.Current.CancellationToken);
    }

    public async Task<ExecuteResponse> RunAsync(string sql, string session = "first-primary") => await Execute(sql, session).WaitAsync(Patience);

    /// <summary>Streams a query to its end.</summary>
    public async Task<string> StreamBookmarkAsync(string sql, string session)
    {
        var request = new StreamRequest { Database = Database.ToString(), Read = new ReadOptions { Session = session } };
        request.Statements.Add(new Statement { Sql = sql });
        await foreach (var part in Grain.StreamAsync(request, ReadConstraint.Parse(request.Read, Database, Patience, Caller.Anonymous), TestContext.Current.CancellationToken))
        {
            if (part.Done is { } done)
            {
                return done.Bookmark;
            }
        }

        throw new InvalidOperationException("The stream ended without its last message.");
    }

    public async Task<Bookmark> WriteAsync(string sql) => Bookmark.Parse((await RunAsync(sql)).Bookmark);

    public async Task<long> NumberAsync(string sql) => (await RunAsync(sql)).Results[0].Rows.Columns[0].Integers[0];

    public static async Task<RequestException> RefusedAsync(Task call) => await Assert.ThrowsAsync<RequestException>(async () => await call.WaitAsync(Patience));

    /// <summary>Something has been appended behind a bookmark, confirmed or not.</summary>
    public bool AppendedBeyond(Bookmark bookmark) =>
        Grain.Locate(bookmark with { Sequence = bookmark.Sequence + 1 }).Place == Internal.V1.BookmarkPlace.OnTimeline;

    /// <summary>Writes as soon as followers are there again.</summary>
    public async Task WriteSoonAsync(string sql)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await WriteAsync(sql);
                return;
            }
            catch (RequestException refused) when (tries < MaxTries && refused.Error.CommitState == CommitState.NotCommitted)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Writes what may be written twice, until it is answered: a journal that was slow may have left a try's outcome unknown.</summary>
    public async Task WriteUntilAnsweredAsync(string sql)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await WriteAsync(sql);
                return;
            }
            catch (RequestException refused) when (tries < MaxTries && refused.Error.Code is (ErrorCodes.QuorumUnavailable or ErrorCodes.WriteOutcomeUnknown))
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Activates as the next requests would: the first may still be told what stopped the last one.</summary>
    public async Task ActivateSoonAsync()
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await ActivateAsync();
                return;
            }
            catch (Exception e) when (e is RequestException or JournalException && tries < MaxTries)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Waits for something that another thread does.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"Still not so: {what}");
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Disk.Release();
        if (_grain is not null)
        {
            await DeactivateAsync();
        }

        await CloseNodeAsync();
        _folder.Dispose();
    }
}
