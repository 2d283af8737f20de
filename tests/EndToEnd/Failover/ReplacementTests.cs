using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.EndToEnd.FailoverSteps;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Lost followers are replaced without anybody asking for it.</summary>
public sealed class ReplacementTests
{
    private static readonly string[] _four = ["enam", "weur", "apac", "oc"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // of a database that nobody uses
    public async Task A_follower_whose_node_stays_away_is_replaced_by_another_node(bool idle)
    {
        await using var cluster = await StartAsync(options => options with
        {
            Regions = _four,
            Configure = node => node with { FollowerReplaceAfter = TimeSpan.FromSeconds(1), GrainIdle = idle ? TimeSpan.FromMilliseconds(200) : node.GrainIdle },
        });
        var before = cluster.Followers(Name);
        Assert.Equal(3, before.Count);
        var lost = Enumerable.Range(1, 3).First(region => before.Contains(cluster.Node(region).JournalId));
        var spare = Enumerable.Range(1, 3).First(region => !before.Contains(cluster.Node(region).JournalId));
        var (lostJournal, spareJournal) = (cluster.Node(lost).JournalId, cluster.Node(spare).JournalId);
        await WriteAsync(cluster, "before");
        await cluster.StopNodeAsync(lost);
        await Eventually.TrueAsync(() => cluster.Followers(Name) is var now && now.Contains(spareJournal) && !now.Contains(lostJournal), "another node has the place");
        await WriteAsync(cluster, "after");

        // The new one counts: the quorum needs it when another of the old ones goes.
        await cluster.StopNodeAsync(Enumerable.Range(1, 3).First(region => region != lost && region != spare));
        await WriteAsync(cluster, "without");
        Assert.Equal(3, await RetryAsync(() => cluster.Database(ClusterFixture.Enam, Name).QueryScalarAsync<long>("SELECT count(DISTINCT key) FROM t")));
        Assert.Contains(cluster.Log.Lines, line => line.Contains("is replaced: its node has been away", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_follower_whose_journal_is_gone_is_replaced_soon_by_the_same_node()
    {
        await using var cluster = await StartAsync(options => options with { Configure = node => node with { FollowerReplaceAfter = TimeSpan.FromSeconds(1) } });
        await WriteAsync(cluster, "before");
        var old = cluster.Node(ClusterFixture.Apac).JournalId;
        await cluster.StopNodeAsync(ClusterFixture.Apac);
        Directory.Delete(cluster.JournalFolder(ClusterFixture.Apac), recursive: true);
        await cluster.StartNodeAsync(ClusterFixture.Apac);
        await Eventually.TrueAsync(
            () => cluster.Followers(Name) is var now && now.Contains(cluster.Node(ClusterFixture.Apac).JournalId) && !now.Contains(old), "the node follows under its new journal");
        await cluster.StopNodeAsync(ClusterFixture.Weur);
        await WriteAsync(cluster, "after");
        Assert.Equal(2, await RetryAsync(() => cluster.Database(ClusterFixture.Enam, Name).QueryScalarAsync<long>("SELECT count(DISTINCT key) FROM t")));
    }

    [Fact]
    public async Task Nothing_is_replaced_while_too_few_are_left_to_decide_it()
    {
        await using var cluster = await StartAsync(options => options with { Regions = _four, Configure = node => node with { FollowerReplaceAfter = TimeSpan.FromMilliseconds(500) } });
        var before = cluster.Followers(Name);
        var others = Enumerable.Range(1, 3).Where(region => before.Contains(cluster.Node(region).JournalId)).ToList();
        await Task.WhenAll(others.Select(cluster.StopNodeAsync));
        var epoch = cluster.Epoch(Name);
        await Eventually.TrueAsync(
            async () => (await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Database(ClusterFixture.Enam, Name).ExecuteAsync("INSERT INTO t (key) VALUES ('x')"))).Code
                == ErrorCodes.QuorumUnavailable,
            "writes are refused");
        await Eventually.TrueAsync(() => cluster.Log.Lines.Any(line => line.Contains("have lost followers and keep them for now", StringComparison.Ordinal)), "it is seen that they are lost, and kept");
        Assert.Equal(before, cluster.Followers(Name));
        Assert.Equal(epoch, cluster.Epoch(Name));
        await cluster.StartNodeAsync(others[0]);
        await WriteAsync(cluster, "back");
        await Eventually.TrueAsync(() => cluster.Followers(Name) is var now && !now.SetEquals(before), "the one that is still away is replaced");
    }

    [Fact]
    public async Task An_idle_database_whose_primary_is_gone_is_led_again_after_a_call_to_a_node_that_does_not_follow()
    {
        await using var cluster = await StartAsync(options => options with { Regions = _four, Configure = node => node with { GrainIdle = TimeSpan.FromMilliseconds(200) } });
        var followers = cluster.Followers(Name);
        var stranger = Enumerable.Range(1, 3).First(region => !followers.Contains(cluster.Node(region).JournalId));
        await WriteAsync(cluster, "before");
        await Eventually.TrueAsync(async () => (await cluster.Client(ClusterFixture.Enam).Admin.GetTopologyAsync(Name)).Copies.Count == 0, "the idle copies left memory");
        await cluster.StopNodeAsync(ClusterFixture.Enam);
        await WriteAsync(cluster, "after", stranger);
        Assert.Equal(2, await RetryAsync(() => cluster.Database(stranger, Name).QueryScalarAsync<long>("SELECT count(*) FROM t")));
    }

    [Fact]
    public async Task A_database_whose_node_has_no_journal_is_not_deleted_and_the_caller_is_told_why()
    {
        await using var cluster = await StartAsync(followers: 1);
        await cluster.StopAsync();
        FileDamage.Truncate(Directory.GetFiles(cluster.JournalFolder(ClusterFixture.Enam)).MaxBy(FileDamage.UsedLength)!, 40);

        await cluster.StartAgainAsync();
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await cluster.Channel(ClusterFixture.Enam).CallAsync(
            AdminMethods.DeleteDatabase, new DeleteDatabaseRequest { Database = Name }));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.Equal(ErrorCodes.NoPrimary, CodeOf(refused));
        Assert.Contains("journal", refused.Detail, StringComparison.Ordinal);
    }
}
