using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Journal;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Sqlite;
using static ReplicatedSqlite.EndToEnd.FailoverSteps;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A node leads whose copy does not reach the log that is left: it gets one from a node that has it.</summary>
public sealed class BaseTests
{
    [Fact]
    public async Task A_node_that_has_no_copy_gets_one_and_leads()
    {
        await using var cluster = await StartTrimmedAsync();
        var id = (await DescribeAsync(cluster, ClusterFixture.Enam)).Id;
        await Eventually.TrueAsync(
            async () =>
            {
                await WriteAsync(cluster, "more");
                await CheckpointedAsync(cluster, id);
                return cluster.LogOf(ClusterFixture.Weur, id).First != Position.Start;
            },
            "weur's log is trimmed");
        await cluster.StopNodeAsync(ClusterFixture.Weur);
        RemoveCopy(cluster, id, ClusterFixture.Weur); // it has made one by itself, or was about to
        await cluster.StartNodeAsync(ClusterFixture.Weur);
        await CheckLedByWeurAsync(cluster, id, await CountAsync(cluster), () => MoveAsync(cluster, "weur"));
    }

    [Fact]
    public async Task A_node_whose_log_ends_before_the_others_begin_gets_a_copy_and_leads()
    {
        await using var cluster = await StartTrimmedAsync();
        var id = (await DescribeAsync(cluster, ClusterFixture.Enam)).Id;
        await cluster.StopNodeAsync(ClusterFixture.Weur);
        Position old;
        await using (var journal = NodeJournal.Open(cluster.JournalFolder(ClusterFixture.Weur), new JournalOptions(), new FileSystemDisk(), new Random(1)))
        {
            old = journal.LastOf(new DatabaseId(Guid.Parse(id)));
        }

        await Eventually.TrueAsync(
            async () =>
            {
                for (var checkpoints = 0; checkpoints < 3; checkpoints++)
                {
                    await WriteAsync(cluster, "more");
                    await CheckpointedAsync(cluster, id);
                }

                return cluster.LogOf(ClusterFixture.Apac, id).First > old;
            },
            "apac's log begins behind the end of weur's");
        var rows = await CountAsync(cluster);
        await cluster.StopAsync();
        await cluster.StartAgainAsync(); // nobody leads, and nobody has told weur anything
        await CheckLedByWeurAsync(cluster, id, rows, () => RetryAsync(async () =>
        {
            var known = await cluster.Client(ClusterFixture.Weur).Admin.ListDatabasesAsync().FirstAsync(); // the catalogue's word: nobody begins to lead for it
            return await cluster.Channel(ClusterFixture.Weur).CallAsync(ReplicationMethods.TakeOver, new Internal.V1.TakeOverRequest { DatabaseId = id, Epoch = (uint)known.Epoch }, cluster.AsNode);
        }));
    }

    [Fact]
    public async Task A_node_that_finds_no_copy_anywhere_says_what_is_missing()
    {
        await using var cluster = await StartTrimmedAsync();
        var id = (await DescribeAsync(cluster, ClusterFixture.Enam)).Id;
        await Eventually.TrueAsync(
            async () =>
            {
                await WriteAsync(cluster, "more");
                return cluster.LogOf(ClusterFixture.Weur, id).First != Position.Start;
            },
            "weur's log is trimmed");
        await cluster.StopAsync();
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            RemoveCopy(cluster, id, region);
        }

        await cluster.StartAgainAsync();
        var refused = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Database(ClusterFixture.Enam, Name).ExecuteAsync("INSERT INTO t (key) VALUES ('x')").InTimeAsync());
        Assert.Equal(ErrorCodes.NoPrimary, refused.Code);
        Assert.Contains("Start a node that has a copy", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Followers_that_are_added_get_a_copy_and_lead_when_the_first_is_lost_with_its_disk()
    {
        await using var cluster = await StartAsync(
            options => options with
            {
                Configure = node => node with { ColdStorage = null, Primary = node.Primary with { IdleCheckpoint = TimeSpan.FromMilliseconds(50) } },
            },
            followers: 1);
        var id = (await DescribeAsync(cluster, ClusterFixture.Enam)).Id;
        await Eventually.TrueAsync(
            async () =>
            {
                await WriteAsync(cluster, "before");
                return cluster.LogOf(ClusterFixture.Enam, id).First != Position.Start;
            },
            "the log of the only follower is trimmed");
        var rows = await CountAsync(cluster);
        await ChangeAsync(cluster, 3);
        await Eventually.TrueAsync(async () => await FollowersAsync(cluster) == (3, 2), "there are three followers");
        foreach (var region in (int[])[ClusterFixture.Weur, ClusterFixture.Apac])
        {
            // Nobody reads there.
            await Eventually.TrueAsync(
                () => cluster.LogOf(region, id).First is var first && first != Position.Start && Sidecar.Read(Sidecar.PathOf(cluster.ReplicaFile(id, region)))?.From >= first,
                "the new follower's node has a copy that its log goes on from");
        }

        await cluster.StopNodeAsync(ClusterFixture.Enam);
        Directory.Delete(Path.Combine(cluster.Folder, "enam"), recursive: true);
        await WriteAsync(cluster, "after", ClusterFixture.Weur);
        foreach (var region in (int[])[ClusterFixture.Weur, ClusterFixture.Apac])
        {
            Assert.Equal(rows + 1, await RetryAsync(() => cluster.Database(region, Name).QueryScalarAsync<long>("SELECT count(*) FROM t")));
        }
    }

    // Copies are in enam and apac, two of three, so the beginning of the log goes everywhere.
    private static async Task<ClusterFixture> StartTrimmedAsync()
    {
        var cluster = await StartAsync(options => options with
        {
            Configure = node => node with { ColdStorage = null, Primary = node.Primary with { IdleCheckpoint = TimeSpan.FromMilliseconds(50) }, Replica = node.Replica with { IdleCheckpoint = TimeSpan.FromMilliseconds(50) } },
        });
        foreach (var region in (string[])["apac", "enam"])
        {
            await MoveAsync(cluster, region);
            await RetryAsync(() => cluster.At(ClusterFixture.Apac, Name, Bookmark.Start).QueryScalarAsync<long>("SELECT count(*) FROM t"));
        }

        return cluster;
    }

    private static void RemoveCopy(ClusterFixture cluster, string id, int region)
    {
        if (cluster.ReplicaFile(id, region) is var file && File.Exists(file))
        {
            File.Delete(file);
        }
    }

    // The primary and apac's replica hold everything in their main files.
    private static async Task CheckpointedAsync(ClusterFixture cluster, string id)
    {
        var last = await RetryAsync(() => cluster.Client(ClusterFixture.Enam).Admin.GetBookmarkAsync(Name));
        foreach (var region in (int[])[ClusterFixture.Enam, ClusterFixture.Apac])
        {
            await RetryAsync(() => cluster.At(region, Name, last).QueryScalarAsync<long>("SELECT count(*) FROM t"));
            await Eventually.TrueAsync(() => Sidecar.Read(Sidecar.PathOf(cluster.ReplicaFile(id, region)))?.From.Sequence >= last.Sequence, "the copy is checkpointed");
        }
    }

    private static Task<long> CountAsync(ClusterFixture cluster) =>
        RetryAsync(() => cluster.Database(ClusterFixture.Enam, Name).QueryScalarAsync<long>("SELECT count(*) FROM t"));

    private static async Task CheckLedByWeurAsync(ClusterFixture cluster, string id, long rows, Func<Task> lead)
    {
        await lead();
        Assert.Equal("weur", (await DescribeAsync(cluster, ClusterFixture.Weur)).PrimaryRegion);
        await WriteAsync(cluster, "after");
        Assert.Equal(rows + 1, await RetryAsync(() => cluster.Database(ClusterFixture.Apac, Name).QueryScalarAsync<long>("SELECT count(*) FROM t")));
        Assert.Equal("ok", await RetryAsync(() => cluster.Database(ClusterFixture.Weur, Name).QueryScalarAsync<string>("PRAGMA integrity_check")));
        Assert.True(File.Exists(cluster.ReplicaFile(id, ClusterFixture.Weur)));
    }
}
