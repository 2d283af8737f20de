using ReplicatedSqlite.ColdStorage;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A random workload, and at random bookmarks: what is restored in place, forked and read as of then is what was there then; undoing a restore returns exactly.</summary>
public sealed class PastStatesTests
{
    [Fact]
    public async Task Restored_forked_and_past_states_are_those_that_were_there()
    {
        var isFull = Environment.GetEnvironmentVariable("RS_TEST_FULL") == "1";
        var (steps, looks) = isFull ? (2000, 200) : (60, 4);
        foreach (var seed in Seeds.Of(usual: 1, full: 1))
        {
            await using var cluster = await ClusterFixture.StartAsync(options => options with
            {
                Configure = node => node with
                {
                    ColdStorage = node.ColdStorage! with { Upload = new UploadOptions { Every = TimeSpan.FromMilliseconds(100), LeastSnapshotBytes = 50_000, ChunkBytes = 16 << 10, Compress = true } },
                },
            });
            var admin = cluster.Client(1).Admin;
            await admin.CreateDatabaseAsync("d", "enam");
            var session = cluster.Database(0, "d").WithSession(Session.FirstPrimary);
            await session.ExecuteAsync("CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)");
            var random = new Random(seed);
            var model = new SortedDictionary<long, int>(); // a, and the length of b
            var states = new List<(Bookmark At, DateTimeOffset Moment, string Content)>();
            for (var i = 0; i < steps; i++)
            {
                await StepAsync(session, model, random);
                states.Add((session.Bookmark!.Value, TimeProvider.System.GetUtcNow(), Content(model)));
            }

            for (var i = 0; i < looks; i++)
            {
                var (at, moment, content) = states[random.Next(states.Count)];
                Assert.Equal(at, await admin.GetBookmarkAsync("d", moment));
                Assert.True(content == await cluster.Database(i % 3, "d").QueryScalarAsync<string>(ReadAll, null, new QueryOptions { AsOf = at }), $"seed {seed}: as of {at}");
                var fork = await admin.ForkAsync("d", $"fork{i}", at).InTimeAsync();
                Assert.True(content == await cluster.Database(i % 3, fork.Name).QueryScalarAsync<string>(ReadAll), $"seed {seed}: fork at {at}");
                await admin.DeleteDatabaseAsync(fork.Name).InTimeAsync();

                var before = await ImageAsync(cluster, await admin.GetBookmarkAsync("d"));
                var restored = await admin.RestoreAsync("d", at).InTimeAsync();
                Assert.True(content == await cluster.Database(0, "d").QueryScalarAsync<string>(ReadAll), $"seed {seed}: restored to {at}");
                await admin.RestoreAsync("d", Bookmark.Parse(restored.PreviousBookmark)).InTimeAsync();
                var undone = await ImageAsync(cluster, await admin.GetBookmarkAsync("d"));
                Assert.True(before.AsSpan().SequenceEqual(undone), $"seed {seed}: undone from {at}");
            }

            Assert.Equal("ok", await cluster.Database(0, "d").QueryScalarAsync<string>("PRAGMA integrity_check"));
        }
    }

    private const string ReadAll = "SELECT coalesce(group_concat(a || ':' || length(b), ' ' ORDER BY a), '') FROM t";

    private static string Content(SortedDictionary<long, int> model) => string.Join(' ', model.Select(static row => $"{row.Key}:{row.Value}"));

    private static async Task StepAsync(Session session, SortedDictionary<long, int> model, Random random)
    {
        var (low, size) = (random.Next(300), random.Next(4000));
        switch (random.Next(4))
        {
            case 0:
                await session.ExecuteAsync($"DELETE FROM t WHERE a BETWEEN {low} AND {low + 20}");
                for (var a = low; a <= low + 20; a++)
                {
                    model.Remove(a);
                }

                break;
            case 1 when random.Next(10) == 0:
                await session.ExecuteAsync("VACUUM"); // the file shrinks
                break;
            case 2:
                await session.ExecuteAsync($"INSERT OR REPLACE INTO t SELECT value, randomblob({size}) FROM json_each('[{string.Join(',', Enumerable.Range(low, 30))}]')");
                for (var a = low; a < low + 30; a++)
                {
                    model[a] = size;
                }

                break;
            default:
                await session.ExecuteAsync($"INSERT OR REPLACE INTO t VALUES ({low}, randomblob({size}))");
                model[low] = size;
                break;
        }
    }

    // The whole database at a bookmark, without the three counters on its first page that every change moves.
    private static async Task<byte[]> ImageAsync(ClusterFixture cluster, Bookmark at)
    {
        var id = new DatabaseId(Guid.Parse((await cluster.Client(0).Admin.GetDatabaseAsync("d")).Id));
        await cluster.Client(0).Admin.GetBookmarkAsync("d", TimeProvider.System.GetUtcNow()); // what is confirmed is there then
        using var folder = new TemporaryFolder();
        await using var store = new FolderStore(Path.Combine(cluster.Folder, "cold"), TimeProvider.System);
        var path = Path.Combine(folder.Path, "image.sqlite");
        await new ColdRestorer(store, new ColdRestoreOptions()).RestoreAsync(id, path, at, TestContext.Current.CancellationToken);
        var image = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        image.AsSpan(24, 4).Clear();
        image.AsSpan(40, 4).Clear();
        image.AsSpan(92, 4).Clear();
        return image;
    }
}
