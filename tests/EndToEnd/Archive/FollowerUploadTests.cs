using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What is confirmed gets to cold storage also where the primary does not bring it there.</summary>
public sealed class FollowerUploadTests
{
    [Fact]
    public async Task Followers_upload_what_the_primary_does_not()
    {
        // The primary's node has no way to cold storage; the others look soon.
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with
            {
                ColdStorage = node.Region == "enam" ? null : node.ColdStorage! with
                {
                    Upload = new UploadOptions { FollowerEvery = TimeSpan.FromMilliseconds(200) }, FollowerLook = TimeSpan.FromMilliseconds(200),
                },
            },
        });
        var id = (await cluster.Client(0).Admin.CreateDatabaseAsync("d", "enam")).Id;
        var database = cluster.Database(0, "d");
        await database.ExecuteAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)");
        for (var i = 0; i < 20; i++)
        {
            await database.ExecuteAsync("INSERT INTO t (b) VALUES (hex(randomblob(200)))");
        }

        var bookmark = await cluster.Client(0).Admin.GetBookmarkAsync("d");
        await using var store = new FolderStore(Path.Combine(cluster.Folder, "cold"), TimeProvider.System);
        var restorer = new ColdRestorer(store, new ColdRestoreOptions());
        using var folder = new TemporaryFolder();
        await Eventually.TrueAsync(
            async () => await restorer.FindEndAsync(new DatabaseId(Guid.Parse(id)), TestContext.Current.CancellationToken) is { } end && end.Position.ToBookmark(new DatabaseId(Guid.Parse(id))) >= bookmark,
            "what is confirmed is in cold storage");
        var path = Path.Combine(folder.Path, "restored.sqlite");
        await restorer.RestoreAsync(new DatabaseId(Guid.Parse(id)), path, bookmark, TestContext.Current.CancellationToken);
        using var connection = Sqlite.SqliteConnection.Open(path);
        Assert.Equal(20, connection.QueryInteger("SELECT count(*) FROM t"));
    }
}
