using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Changes of the catalogue of which nobody knows whether they arrived, and what is in cold storage for them: what is in use stays, what came to nothing goes.</summary>
public sealed class DoubtTests : IDisposable
{
    private readonly TemporaryFolder _cold = new();

    public void Dispose() => _cold.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_fork_whose_creation_is_in_doubt_begins_as_its_parent_was_or_leaves_nothing(bool isCreated)
    {
        await using var cluster = await StartAsync();
        var admin = cluster.Clients[0].Admin;
        var parent = await admin.CreateDatabaseAsync("parent", "enam");
        await cluster.Clients[0].Database("parent").ScriptAsync("CREATE TABLE t (a); INSERT INTO t VALUES (7)");
        cluster.Views[0].Fault = change => change != "create" ? LostChange.None : isCreated ? LostChange.BehindIt : LostChange.BeforeIt;
        await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => admin.ForkAsync("parent", "fork"));
        cluster.Views[0].Fault = static _ => LostChange.None;
        Assert.Single(Directory.GetFiles(In(parent.Id, "pins")));
        if (isCreated)
        {
            Assert.Equal(7, await cluster.Clients[1].Database("fork").QueryScalarAsync<long>("SELECT a FROM t"));
        }
        else
        {
            // Its pin goes, and so its parent's objects are free: nobody has ever heard of it.
            await Eventually.TrueAsync(() => Directory.GetFiles(In(parent.Id, "pins")).Length == 0, "the pin is gone");
            Assert.DoesNotContain(Directory.GetFiles(_cold.Path, "origin", SearchOption.AllDirectories), static _ => true);
        }

        // Another stands, and so does the one that was made: the keeper has come by since, long after.
        var other = await admin.ForkAsync("parent", "other");
        foreach (var origin in Directory.GetFiles(_cold.Path, "origin", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(origin, DateTime.UnixEpoch);
        }

        foreach (var pin in Directory.GetFiles(In(parent.Id, "pins")))
        {
            File.SetLastWriteTimeUtc(pin, DateTime.UnixEpoch);
        }

        await CollectedAsync(In(parent.Id, "pins"));
        Assert.Equal(7, await cluster.Clients[2].Database("other").QueryScalarAsync<long>("SELECT a FROM t"));
        Assert.True(File.Exists(In(other.Id, "origin")));
        Assert.Equal(isCreated ? 2 : 1, Directory.GetFiles(In(parent.Id, "pins")).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_import_whose_naming_is_in_doubt_deletes_nothing(bool isNamed)
    {
        await using var cluster = await StartAsync();
        cluster.Views[0].Fault = change => change != "rename" ? LostChange.None : isNamed ? LostChange.BehindIt : LostChange.BeforeIt;
        var deletions = 0;
        var client = cluster.Clients[0];
        using var sql = new MemoryStream("CREATE TABLE t (a); INSERT INTO t VALUES (7);"u8.ToArray());
        cluster.Views[0].OnDelete = () => Interlocked.Increment(ref deletions);
        var header = new ImportHeader { Database = "shop", Format = ExportFormat.Sql, Create = new CreateDatabaseRequest { Name = "shop", PrimaryRegion = "enam" } };
        await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => client.Admin.ImportAsync(header, sql));
        cluster.Views[0].Fault = static _ => LostChange.None;
        Assert.Equal(0, deletions);
        var names = new List<string>();
        await foreach (var database in client.Admin.ListDatabasesAsync())
        {
            names.Add(database.Name);
        }

        var name = Assert.Single(names);
        Assert.Equal(isNamed, name == "shop");
        Assert.Equal(7, await cluster.Clients[1].Database(name).QueryScalarAsync<long>("SELECT a FROM t"));
    }

    [Fact]
    public async Task A_deletion_that_was_not_noted_is_and_what_is_in_use_or_lost_stays_whatever_a_note_says()
    {
        await using var cluster = await StartAsync();
        var admin = cluster.Clients[0].Admin;
        foreach (var name in (string[])["used", "unnoted"])
        {
            await admin.CreateDatabaseAsync(name, "enam");
            await cluster.Clients[0].Database(name).ScriptAsync("CREATE TABLE t (a); INSERT INTO t VALUES (7)");
            await admin.GetBookmarkAsync(name, TimeProvider.System.GetUtcNow()); // it is stored
        }

        var (used, unnoted) = ((await admin.GetDatabaseAsync("used")).Id, (await admin.GetDatabaseAsync("unnoted")).Id);
        await using var store = new FolderStore(_cold.Path, TimeProvider.System);
        var lost = new ColdRecord(Guid.NewGuid(), "lost", "{}");
        await lost.WriteAsync(store);
        await ((await ColdRecord.ReadAsync(store, Id(used)))! with { DeletedAtMicroseconds = 1 }).WriteAsync(store); // by a catalogue that was brought back since
        await cluster.Views[0].DeleteAsync(Id(unnoted)); // and then whoever did it died
        await Eventually.TrueAsync(() => !File.Exists(Path.Combine(_cold.Path, "databases", unnoted)), "the deleted database is gone");
        Assert.False(Directory.Exists(In(unnoted, "log")) && Directory.GetFiles(In(unnoted, "log")).Length > 0);
        await RemovedAsync(store);
        Assert.Equal(7, await cluster.Clients[2].Database("used").QueryScalarAsync<long>("SELECT a FROM t"));
        await admin.VerifyDatabaseAsync("used").InTimeAsync();
        Assert.Null((await ColdRecord.ReadAsync(store, new DatabaseId(lost.Id)))!.DeletedAtMicroseconds);
    }

    private string In(string id, string name) => Path.Combine(_cold.Path, id, name);

    private static DatabaseId Id(string text) => new(Guid.Parse(text));

    // What somebody left long ago goes, twice: so all of the folder was looked at since this was called.
    private static async Task CollectedAsync(string pins)
    {
        for (var i = 0; i < 2; i++)
        {
            var left = Directory.GetFiles(pins)[0][..^32] + Guid.NewGuid().ToString("n");
            await File.WriteAllBytesAsync(left, "RSCLDPIN"u8.ToArray());
            File.SetLastWriteTimeUtc(left, DateTime.UnixEpoch);
            await Eventually.TrueAsync(() => !File.Exists(left), "a pin of nobody is gone");
        }
    }

    // The same of databases that were deleted long ago.
    private static async Task RemovedAsync(IObjectStore store)
    {
        for (var i = 0; i < 2; i++)
        {
            var record = new ColdRecord(Guid.NewGuid(), "passing", "{}", DeletedAtMicroseconds: 1);
            await record.WriteAsync(store);
            await Eventually.TrueAsync(async () => await ColdRecord.ReadAsync(store, new DatabaseId(record.Id)) is null, "a database that was deleted long ago is gone");
        }
    }

    // What takes days takes tenths of seconds here.
    private Task<LateCluster> StartAsync() => LateCluster.StartAsync(options => options with
    {
        ColdStorage = new ColdStorageOptions
        {
            Folder = _cold.Path,
            Upload = new UploadOptions { Every = TimeSpan.FromMilliseconds(50) },
            CollectEvery = TimeSpan.FromMilliseconds(100),
            CollectionGrace = TimeSpan.FromMilliseconds(300),
            DeletionGrace = TimeSpan.FromSeconds(2),
        },
    });
}
