using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;
using static ReplicatedSqlite.EndToEnd.FailoverSteps;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Nodes of a cluster go and come back: what was answered is there, and what can go on goes on.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task The_primarys_node_goes_and_another_takes_over_with_every_answered_write()
    {
        await using var cluster = await StartAsync();
        await using var writers = new KeyedWriters(cluster, Name, from: [ClusterFixture.Weur, ClusterFixture.Apac]);
        await writers.UntilAsync(20);
        var before = await DescribeAsync(cluster, ClusterFixture.Weur);
        await cluster.StopNodeAsync(ClusterFixture.Enam);
        await writers.UntilAsync(writers.Answered + 20);
        var after = await DescribeAsync(cluster, ClusterFixture.Weur);
        Assert.True(after.Epoch > before.Epoch, $"{before} then {after}");
        Assert.NotEqual("enam", after.PrimaryRegion);

        await cluster.StartNodeAsync(ClusterFixture.Enam);
        await writers.UntilAsync(writers.Answered + 5);
        await writers.StopAsync();
        var bookmark = Bookmark.Parse((await DescribeAsync(cluster, ClusterFixture.Weur)).Bookmark);
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var asked = cluster.At(region, Name, bookmark);
            var rows = await RetryAsync(() => asked.QueryAsync("SELECT key, count(*) FROM t GROUP BY key", null, new() { WaitTimeout = Eventually.Patience }));
            var counts = rows.Rows.ToDictionary(row => row.GetString(0), row => row.GetInt64(1));
            Assert.All(counts.Values, count => Assert.Equal(1, count));
            Assert.All(writers.Keys, key => Assert.True(counts.ContainsKey(key), $"the answered write {key} is not in region {region}"));
        }
    }

    [Fact]
    public async Task A_session_goes_on_across_a_takeover_and_never_back()
    {
        await using var cluster = await StartAsync();
        var session = cluster.Database(ClusterFixture.Weur, Name).WithSession(Session.FirstPrimary);
        await ExecuteOnceAsync(session, "INSERT INTO t (key) VALUES ('before')");
        var bookmark = session.Bookmark!.Value;
        await cluster.StopNodeAsync(ClusterFixture.Enam);
        Assert.Equal(1, await RetryAsync(() => session.QueryScalarAsync<long>("SELECT count(*) FROM t WHERE key = 'before'")));
        await ExecuteOnceAsync(session, "INSERT INTO t (key) VALUES ('after')");
        Assert.True(session.Bookmark!.Value > bookmark && session.Bookmark.Value.Epoch > bookmark.Epoch);
        Assert.Equal(2, await RetryAsync(() => session.QueryScalarAsync<long>("SELECT count(*) FROM t")));
    }

    [Fact]
    public async Task Without_a_quorum_writes_are_refused_soon_and_reads_of_replicas_go_on_until_one_comes_back()
    {
        await using var cluster = await StartAsync();
        await WriteAsync(cluster, "a");
        await cluster.SettleAsync(Name);
        await cluster.StopNodeAsync(ClusterFixture.Weur);
        await cluster.StopNodeAsync(ClusterFixture.Apac);
        var first = await Assert.ThrowsAnyAsync<Exception>(() => cluster.Database(ClusterFixture.Enam, Name).ExecuteAsync("INSERT INTO t (key) VALUES ('b')").InTimeAsync());
        Assert.Contains(CodeOf(first), (string[])[ErrorCodes.WriteOutcomeUnknown, ErrorCodes.QuorumUnavailable]);
        await Eventually.TrueAsync(
            async () => CodeOf(await Assert.ThrowsAnyAsync<Exception>(() => cluster.Database(ClusterFixture.Enam, Name).ExecuteAsync("INSERT INTO t (key) VALUES ('c')")))
                == ErrorCodes.QuorumUnavailable,
            "writes are refused with nothing done");
        var fresh = await Assert.ThrowsAnyAsync<Exception>(() => cluster.Database(ClusterFixture.Enam, Name).QueryScalarAsync<long>("SELECT count(*) FROM t"));
        Assert.Equal(ErrorCodes.QuorumUnavailable, CodeOf(fresh)); // nobody can say that there is no newer primary

        await cluster.StartNodeAsync(ClusterFixture.Weur);
        Assert.Equal(1, await RetryAsync(() => cluster.Database(ClusterFixture.Weur, Name).WithSession(Session.FirstUnconstrained).QueryScalarAsync<long>("SELECT count(*) FROM t WHERE key = 'a'")));
        await WriteAsync(cluster, "d", ClusterFixture.Weur);
        var keys = await RetryAsync(() => cluster.Database(ClusterFixture.Weur, Name).QueryAsync("SELECT key FROM t"));
        Assert.Superset(new HashSet<string> { "a", "d" }, keys.Rows.Select(row => row.GetString(0)).ToHashSet());
        Assert.DoesNotContain("c", keys.Rows.Select(row => row.GetString(0)));
    }

    [Fact]
    public async Task A_planned_move_loses_nothing_and_is_undone_by_another()
    {
        await using var cluster = await StartAsync();
        await using var writers = new KeyedWriters(cluster, Name, from: [ClusterFixture.Enam, ClusterFixture.Weur]);
        await writers.UntilAsync(20);
        writers.TakeLongestPause();
        foreach (var region in (string[])["weur", "apac", "enam", .. Dose.Of(0, 1) > 0 ? Enumerable.Range(0, 30).Select(i => i % 2 == 0 ? "weur" : "enam") : []])
        {
            var moved = await RetryAsync(() => cluster.Channel(ClusterFixture.Apac).CallAsync(AdminMethods.MovePrimary, new MovePrimaryRequest { Database = Name, Region = region }));
            Assert.Equal(region, moved.PrimaryRegion);
            await writers.UntilAsync(writers.Answered + 20);
            TestContext.Current.TestOutputHelper?.WriteLine($"pause of a move to {region}: {writers.TakeLongestPause().TotalMilliseconds:F0} ms");
        }

        await writers.StopAsync();
        var rows = await RetryAsync(() => cluster.Database(ClusterFixture.Apac, Name).QueryAsync("SELECT key, count(*) FROM t GROUP BY key"));
        Assert.All(rows.Rows, row => Assert.Equal(1, row.GetInt64(1)));
        Assert.Superset(writers.Keys.ToHashSet(), rows.Rows.Select(row => row.GetString(0)).ToHashSet());
        cluster.Log.HasNoErrors();
    }

    // A client that asks the primary's own node is as well off as one that asks another.
    [Fact]
    public async Task A_write_with_a_key_that_its_primary_lost_is_settled_by_the_next_one_for_the_client()
    {
        await using var cluster = await StartAsync();
        var id = (await DescribeAsync(cluster, ClusterFixture.Enam)).Id;
        var keys = new List<string>();
        var settled = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                var leader = (await DescribeAsync(cluster, ClusterFixture.Enam)).PrimaryRegion == "enam" ? ClusterFixture.Enam : ClusterFixture.Weur;
                var next = leader == ClusterFixture.Enam ? ClusterFixture.Weur : ClusterFixture.Enam;
                var takeOver = new Internal.V1.TakeOverRequest { DatabaseId = id, Epoch = cluster.Epoch(Name) };
                var fresh = Enumerable.Range(keys.Count, 50).Select(i => $"k{i:d5}").ToList();
                keys.AddRange(fresh);
                var writes = fresh.Select(async key =>
                {
                    var request = new ExecuteRequest { Database = Name, IdempotencyKey = key, Statements = { new Statement { Sql = $"INSERT INTO t (key) VALUES ('{key}')" } } };
                    try
                    {
                        if ((await cluster.Channel(leader).CallAsync(QueryMethods.Execute, request)).Replayed)
                        {
                            Interlocked.Increment(ref settled); // nobody but the node has repeated it
                        }
                    }
                    catch (RpcException)
                    {
                        await RetryAsync(() => cluster.Channel(leader).CallAsync(QueryMethods.Execute, request.Clone()));
                    }
                }).ToList();
                try
                {
                    await cluster.Channel(next).CallAsync(Cluster.ReplicationMethods.TakeOver, takeOver, cluster.AsNode);
                }
                catch (RpcException)
                {
                    // A busy machine may have made somebody else lead meanwhile: the next round sees.
                }

                await Task.WhenAll(writes);
                return settled > 0;
            },
            "a write that the old primary lost is answered by the new one");
        var rows = await RetryAsync(() => cluster.Database(ClusterFixture.Apac, Name).QueryAsync("SELECT key, count(*) FROM t GROUP BY key"));
        Assert.All(rows.Rows, row => Assert.Equal(1, row.GetInt64(1)));
        Assert.Equal(keys.Order(StringComparer.Ordinal), rows.Rows.Select(row => row.GetString(0)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Followers_become_more_and_fewer_and_one_whose_journal_is_gone_is_replaced()
    {
        await using var cluster = await StartAsync(followers: 1);
        Assert.Equal((1u, 1u), await FollowersAsync(cluster));
        await WriteAsync(cluster, "one");
        await ChangeAsync(cluster, 3);
        Assert.Equal((3u, 2u), await FollowersAsync(cluster));
        await WriteAsync(cluster, "three");

        // Its journal is gone: it has no vote, and comes back as another follower with the next leadership.
        await cluster.StopNodeAsync(ClusterFixture.Apac);
        Directory.Delete(cluster.JournalFolder(ClusterFixture.Apac), recursive: true);
        await cluster.StartNodeAsync(ClusterFixture.Apac);
        await WriteAsync(cluster, "emptied");
        await ChangeAsync(cluster, 3);
        await cluster.StopNodeAsync(ClusterFixture.Weur); // the quorum needs the replaced one now
        await WriteAsync(cluster, "replaced", ClusterFixture.Apac);
        await cluster.StartNodeAsync(ClusterFixture.Weur);
        await ChangeAsync(cluster, 1);
        Assert.Equal((1u, 1u), await FollowersAsync(cluster));
        var keys = await RetryAsync(() => cluster.Database(ClusterFixture.Enam, Name).QueryAsync("SELECT DISTINCT key FROM t ORDER BY key"));
        Assert.Equal(["emptied", "one", "replaced", "three"], keys.Rows.Select(row => row.GetString(0)));
    }

    [Fact]
    public async Task Followers_of_a_database_that_nobody_uses_change_at_once_too()
    {
        await using var cluster = await StartAsync(options => options with { Configure = node => node with { GrainIdle = TimeSpan.FromMilliseconds(200) } }, followers: 1);
        var before = await DescribeAsync(cluster, ClusterFixture.Enam);
        await Eventually.TrueAsync(async () => (await cluster.Client(ClusterFixture.Enam).Admin.GetTopologyAsync(Name)).Copies.Count == 0, "the idle copies left memory");
        Assert.Equal(before.Epoch, (await DescribeAsync(cluster, ClusterFixture.Enam)).Epoch); // it goes on with its promise
        await Eventually.TrueAsync(async () => (await cluster.Client(ClusterFixture.Enam).Admin.GetTopologyAsync(Name)).Copies.Count == 0, "the idle copies left memory again");
        var changed = await ChangeAsync(cluster, 3);
        Assert.Equal((3u, 2u), (changed.Options.Followers, changed.Options.Quorum));
        Assert.True(changed.Epoch > before.Epoch, $"{before.Epoch} then {changed.Epoch}");
    }

    [Fact]
    public async Task A_follower_without_a_copy_lets_one_that_has_it_lead()
    {
        await using var cluster = await StartAsync(options => options with
        {
            Configure = node => node with { Primary = node.Primary with { IdleCheckpoint = TimeSpan.FromMilliseconds(50) } },
        });
        var id = (await DescribeAsync(cluster, ClusterFixture.Enam)).Id;
        foreach (var region in (string[])["apac", "enam"])
        {
            await RetryAsync(() => cluster.Channel(ClusterFixture.Enam).CallAsync(AdminMethods.MovePrimary, new MovePrimaryRequest { Database = Name, Region = region }));
            await RetryAsync(() => cluster.At(ClusterFixture.Apac, Name, Bookmark.Start).QueryScalarAsync<long>("SELECT count(*) FROM t"));
        }

        // Copies are in enam and apac, two of three, so the beginning of the log goes everywhere.
        await Eventually.TrueAsync(async () =>
        {
            await WriteAsync(cluster, "more");
            return cluster.LogOf(ClusterFixture.Weur, id).First != Position.Start;
        }, "weur's log is trimmed");
        Assert.False(File.Exists(cluster.ReplicaFile(id, ClusterFixture.Weur)));
        await cluster.StopAsync();
        await cluster.StartAgainAsync(); // nobody has heard of a leader
        await cluster.StopNodeAsync(ClusterFixture.Enam);
        var answered = false;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await cluster.Database(ClusterFixture.Weur, Name).ExecuteAsync("INSERT INTO t (key) VALUES ('after')");
                    answered = true;
                }
                catch (ReplicatedSqliteException e)
                {
                    Assert.NotEqual(ErrorCodes.SqliteCorrupt, e.Code);
                }

                return answered;
            },
            "apac leads");
        Assert.Equal("apac", (await DescribeAsync(cluster, ClusterFixture.Weur)).PrimaryRegion);
    }

    [Fact]
    public async Task Five_nodes_lose_two_and_go_on()
    {
        await using var cluster = await StartAsync(options => options with { Regions = ["enam", "weur", "apac", "oc", "me"] });
        Assert.Equal((5u, 3u), await FollowersAsync(cluster));
        await using var writers = new KeyedWriters(cluster, Name, from: [ClusterFixture.Weur, ClusterFixture.Apac]);
        await writers.UntilAsync(10);
        await cluster.StopNodeAsync(ClusterFixture.Enam);
        await writers.UntilAsync(writers.Answered + 10);
        await cluster.StopNodeAsync(4);
        await writers.UntilAsync(writers.Answered + 10);
        await writers.StopAsync();
        var rows = await RetryAsync(() => cluster.Database(ClusterFixture.Weur, Name).QueryAsync("SELECT key, count(*) FROM t GROUP BY key"));
        Assert.All(rows.Rows, row => Assert.Equal(1, row.GetInt64(1)));
        Assert.Superset(writers.Keys.ToHashSet(), rows.Rows.Select(row => row.GetString(0)).ToHashSet());
    }

    [Fact]
    public async Task A_deleted_database_is_gone_for_a_node_that_was_away_too()
    {
        await using var cluster = await StartAsync();
        var id = (await DescribeAsync(cluster, ClusterFixture.Enam)).Id;
        await cluster.StopNodeAsync(ClusterFixture.Apac);
        await cluster.Client(ClusterFixture.Weur).Admin.DeleteDatabaseAsync(Name);
        await cluster.StartNodeAsync(ClusterFixture.Apac);
        await Eventually.TrueAsync(() => !Directory.Exists(Path.GetDirectoryName(cluster.ReplicaFile(id, ClusterFixture.Apac))), "its files are gone");
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => cluster.Database(ClusterFixture.Apac, Name).ExecuteAsync("SELECT 1"));
        Assert.Equal(ErrorCodes.DatabaseNotFound, CodeOf(refused));
        await cluster.Client(ClusterFixture.Apac).Admin.CreateDatabaseAsync(Name); // another one of that name
        Assert.Equal(0, await cluster.Database(ClusterFixture.Apac, Name).QueryScalarAsync<long>("SELECT count(*) FROM sqlite_schema WHERE name = 't'"));
    }
}
