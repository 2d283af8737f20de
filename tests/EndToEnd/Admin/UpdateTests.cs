using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>UpdateDatabase: what is set changes at once and for good, what is unset stays, and what cannot be is refused with nothing done.</summary>
public sealed class UpdateTests
{
    private const string Name = "shop";

    [Theory]
    [InlineData(ClusterFixture.Enam)]
    [InlineData(ClusterFixture.Apac)]
    public async Task What_is_unset_stays_as_it_is_also_after_a_restart(int region)
    {
        await using var cluster = await StartAsync();
        var admin = cluster.Client(region).Admin;
        var before = await admin.GetDatabaseAsync(Name);
        AssertSame(before, await admin.UpdateDatabaseAsync(new() { Database = Name }));
        AssertSame(before, await admin.UpdateDatabaseAsync(new() { Database = before.Id, Options = new() { PageSize = before.Options.PageSize } }));

        var changed = await admin.UpdateDatabaseAsync(new() { Database = Name, Options = new() { Profile = "d1" } });
        before.Options.Profile = "d1";
        AssertSame(before, changed);

        changed = await admin.UpdateDatabaseAsync(new() { Database = Name, ReplicaRegions = new() { Regions = { "apac", "apac" } } });
        before.ReplicaRegions.Clear();
        before.ReplicaRegions.Add("apac");
        AssertSame(before, changed);

        changed = await admin.UpdateDatabaseAsync(new() { Database = Name, NewName = "store" });
        before.Name = "store";
        AssertSame(before, changed);

        changed = await admin.UpdateDatabaseAsync(new() { Database = "store", Replication = ReplicationMode.Disabled });
        Assert.Equal(ReplicationMode.Disabled, changed.Replication);
        Assert.Empty(changed.ReplicaRegions);
        changed = await admin.UpdateDatabaseAsync(new() { Database = "store", Replication = ReplicationMode.Auto });
        AssertSame(before, changed); // the regions were remembered

        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        AssertSame(before, await cluster.Client(region).Admin.GetDatabaseAsync("store"));
        Assert.Equal(1, await cluster.Database(region, "store").QueryScalarAsync<long>("SELECT count(*) FROM t"));
        cluster.Log.HasNoErrors();
    }

    public static TheoryData<string, StatusCode, string> Refusals => new()
    {
        { """{ "newName": "a b" }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "newName": "00112233-4455-6677-8899-aabbccddeeff" }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "newName": "other" }""", StatusCode.AlreadyExists, ErrorCodes.DatabaseExists },
        { """{ "replication": 7 }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "replication": "REPLICATION_MODE_DISABLED", "replicaRegions": { "regions": ["weur"] } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "replicaRegions": { "regions": ["weur", "moon"] } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "options": { "profile": "d2" } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "options": { "pageSize": 8192 } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "options": { "pageSize": 1 } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "options": { "followers": 0 } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "options": { "followers": 2 } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "options": { "quorum": 0 } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "options": { "followers": 1, "quorum": 2 } }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
        { """{ "database": "nowhere" }""", StatusCode.NotFound, ErrorCodes.DatabaseNotFound },
        { """{ "database": "" }""", StatusCode.InvalidArgument, ErrorCodes.InvalidRequest },
    };

    [Fact]
    public async Task What_cannot_be_is_refused_and_nothing_else_of_the_request_is_done()
    {
        await using var cluster = await StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("other");
        var before = await cluster.Client(0).Admin.GetDatabaseAsync(Name);
        foreach (var (text, status, code) in Refusals.Select(row => row.Data))
        {
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                // Each comes with something that would be possible alone.
                var request = new UpdateDatabaseRequest { Database = Name, NewName = "moved", Options = new() { Profile = "d1" } };
                request.MergeFrom(UpdateDatabaseRequest.Parser.ParseJson(text));
                request.Database = text.Contains("\"database\"", StringComparison.Ordinal) ? UpdateDatabaseRequest.Parser.ParseJson(text).Database : Name;
                var failure = await Assert.ThrowsAsync<RpcException>(() => cluster.Channel(region).CallAsync(AdminMethods.UpdateDatabase, request));
                Assert.True(failure.StatusCode == status && failure.FindDetail<SqlError>()?.Code == code, $"{text} in region {region}: {failure.StatusCode} {failure.Detail}");
                Assert.NotEmpty(failure.Detail);
            }
        }

        AssertSame(before, await cluster.Client(0).Admin.GetDatabaseAsync(Name));
    }

    [Fact]
    public async Task A_profile_takes_effect_on_copies_that_are_running_and_back()
    {
        await using var cluster = await StartAsync();
        var bookmark = await cluster.SettleAsync(Name);
        var epoch = (await cluster.Client(0).Admin.GetDatabaseAsync(Name)).Epoch;
        for (var round = 0; round < 2; round++)
        {
            foreach (var profile in (string[])["d1", "default"])
            {
                await cluster.Client(2).Admin.UpdateDatabaseAsync(new() { Database = Name, Options = new() { Profile = profile } });
                for (var region = 0; region < ClusterFixture.RegionCount; region++)
                {
                    var session = cluster.At(region, Name, bookmark);
                    foreach (var (sql, parameters) in new (string, SqlParameters?)[]
                    {
                        ("SELECT " + string.Join(" + ", Enumerable.Repeat("?", 101)), SqlParameters.Positional([.. Enumerable.Repeat<object?>(1L, 101)])),
                        ("SELECT length(zeroblob(2000001))", null),
                        ("PRAGMA user_version", null),
                        ("CREATE TEMP TABLE s (x)", null),
                        ($"UPDATE t SET v = zeroblob(2000001 + {round})", null),
                    })
                    {
                        if (profile == "d1")
                        {
                            await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.ExecuteAsync(sql, parameters));
                        }
                        else
                        {
                            await session.ExecuteAsync(sql, parameters);
                        }
                    }
                }

                await using var transaction = await cluster.Database(1, Name).BeginTransactionAsync();
                var temp = transaction.ExecuteAsync("CREATE TEMP TABLE s (x)");
                Assert.Equal(profile == "d1", await Record.ExceptionAsync(() => temp) is ReplicatedSqliteException { Code: ErrorCodes.SqliteAuth });
            }
        }

        Assert.Equal(epoch, (await cluster.Client(0).Admin.GetDatabaseAsync(Name)).Epoch); // nothing was restarted for it
        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task Without_replication_replicas_end_and_their_readers_move_to_the_primary()
    {
        await using var cluster = await StartAsync(options => options with { Delays = new Dictionary<string, TimeSpan> { ["apac"] = TimeSpan.FromMinutes(5) } });
        var id = (await cluster.Client(0).Admin.GetDatabaseAsync(Name)).Id;
        var weur = cluster.Database(ClusterFixture.Weur, Name).WithSession(await cluster.Client(0).Admin.GetBookmarkAsync(Name));
        Assert.False((await weur.ExecuteAsync("SELECT * FROM t")).Served.Primary);
        Assert.True(File.Exists(cluster.ReplicaFile(id, ClusterFixture.Weur)));

        // One that waits, and one that reads in steps.
        var waiting = cluster.At(ClusterFixture.Apac, Name, await cluster.Client(0).Admin.GetBookmarkAsync(Name))
            .ExecuteAsync("SELECT count(*) FROM t", null, new() { WaitTimeout = TimeSpan.FromMinutes(1), OnWaitTimeout = OnWaitTimeout.Fail });
        await using var reading = await RawTransaction.BeginAsync(
            cluster.Channel(ClusterFixture.Weur), new() { Database = Name, ReadOnly = true, Read = new() { Session = weur.Bookmark!.Value.ToString() } });
        Assert.False(waiting.IsCompleted);

        await cluster.Client(1).Admin.UpdateDatabaseAsync(new() { Database = Name, Replication = ReplicationMode.Disabled });
        var answer = await waiting.InTimeAsync();
        Assert.True(answer.Served.Primary);
        Assert.Equal(1, answer.First.Rows[0].GetInt64(0));
        var told = await reading.NextAsync().InTimeAsync();
        Assert.True(told!.Failed.Ended && told.Failed.Error.Retryable, told.ToString());
        Assert.True((await weur.ExecuteAsync("SELECT * FROM t")).Served.Primary); // the same session goes on
        await weur.ExecuteAsync("INSERT INTO t VALUES (2, 'b')");
        Assert.Equal(2, await weur.QueryScalarAsync<long>("SELECT count(*) FROM t"));
        await Eventually.TrueAsync(async () => (await cluster.Client(2).Admin.GetTopologyAsync(Name)).Copies.Count == 1, "the replicas are gone");
        Assert.Equal([Role.Primary], (await cluster.Client(2).Admin.GetTopologyAsync(Name)).Copies.Select(copy => copy.Role));

        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        Assert.True((await cluster.Database(ClusterFixture.Weur, Name).WithSession(Session.FirstUnconstrained).ExecuteAsync("SELECT * FROM t")).Served.Primary);
        Assert.True(File.Exists(cluster.ReplicaFile(id, ClusterFixture.Weur))); // the node follows: it may have to lead some day
        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task Regions_that_are_added_get_replicas_and_those_taken_away_lose_them()
    {
        await using var cluster = await StartAsync();
        await cluster.SettleAsync(Name);
        foreach (var (regions, weur, apac) in new[] { ((string[])["apac"], false, true), (["weur"], true, false), (["weur", "apac", "enam"], true, true), (["enam"], false, false), ([], true, true) })
        {
            await cluster.Client(1).Admin.UpdateDatabaseAsync(new() { Database = Name, ReplicaRegions = new() { Regions = { regions } } });
            await cluster.Database(0, Name).ExecuteAsync("INSERT INTO t (v) VALUES (?)", [string.Join(',', regions)]);
            var bookmark = await cluster.Client(0).Admin.GetBookmarkAsync(Name);
            foreach (var (region, isReplica) in new[] { (ClusterFixture.Weur, weur), (ClusterFixture.Apac, apac) })
            {
                var answer = await cluster.At(region, Name, bookmark).ExecuteAsync("SELECT v FROM t ORDER BY id DESC LIMIT 1");
                Assert.True(
                    answer.Served.Region == cluster.Node(region).Region == isReplica, // without a copy of its own it reads at the nearest
                    $"{string.Join(',', regions)}: region {region} was answered by the {(answer.Served.Primary ? "primary" : "replica")} in {answer.Served.Region}");
                Assert.Equal(string.Join(',', regions), answer.First.Rows[0].GetString(0));
            }
        }

        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task Replicas_that_come_and_go_under_readers_never_fail_one_of_them()
    {
        await using var cluster = await StartAsync();
        await cluster.SettleAsync(Name);
        using var ending = new CancellationTokenSource();
        var reads = 0;
        var readers = Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
        {
            var session = cluster.Database(1 + (i % 2), Name).WithSession(Session.FirstUnconstrained);
            while (!ending.IsCancellationRequested)
            {
                try
                {
                    Assert.Equal(1, await session.QueryScalarAsync<long>("SELECT count(*) FROM t"));
                    Interlocked.Increment(ref reads);
                }
                catch (UnavailableException e) when (e.Code == ErrorCodes.CopyStale)
                {
                    // It was being read as the copy was taken away: said honestly, and the next one is answered.
                    Assert.Equal(1, await session.QueryScalarAsync<long>("SELECT count(*) FROM t"));
                }
            }
        })).ToList();
        for (var i = 0; i < Dose.Of(15, 150); i++)
        {
            var target = reads + 20;
            await cluster.Client(0).Admin.UpdateDatabaseAsync(new() { Database = Name, Replication = i % 2 == 0 ? ReplicationMode.Disabled : ReplicationMode.Auto });
            await Eventually.TrueAsync(() => Volatile.Read(ref reads) > target || readers.Any(reader => reader.IsFaulted), "readers go on");
        }

        await ending.CancelAsync();
        await Task.WhenAll(readers).InTimeAsync();
        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task The_shell_updates_a_database()
    {
        await using var cluster = await StartAsync();
        var server = cluster.Node(1).GrpcAddress.Authority;
        var (code, output, errors) = await RsqlProcess.RunAsync("update", Name, "--server", server, "--name", "store", "--replicas", "apac", "--profile", "d1");
        Assert.True(code == 0, errors);
        Assert.Contains("store", output, StringComparison.Ordinal);
        Assert.Contains("replicas in apac", output, StringComparison.Ordinal);
        Assert.Equal("d1", (await cluster.Client(0).Admin.GetDatabaseAsync("store")).Options.Profile);
        (code, output, _) = await RsqlProcess.RunAsync("update", "store", "--server", server, "--replicas", "none");
        Assert.True(code == 0 && output.Contains("no replicas", StringComparison.Ordinal), output);
        (code, _, errors) = await RsqlProcess.RunAsync("update", Name, "--server", server, "--replicas", "all");
        Assert.NotEqual(0, code);
        Assert.Contains("There is no database 'shop'", errors, StringComparison.Ordinal);
        (code, _, errors) = await RsqlProcess.RunAsync("update", "store", "--server", server);
        Assert.Equal(2, code);
        Assert.Contains("nothing to change", errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_shell_changes_followers_and_moves_a_primary()
    {
        await using var cluster = await StartAsync();
        var server = cluster.Node(1).GrpcAddress.Authority;
        var (code, output, errors) = await RsqlProcess.RunAsync("update", Name, "--server", server, "--followers", "3", "--quorum", "3");
        Assert.True(code == 0, errors);
        Assert.Contains("quorum 3 of 3 followers", output, StringComparison.Ordinal);
        (code, output, errors) = await RsqlProcess.RunAsync("move", Name, "apac", "--server", server);
        Assert.True(code == 0, errors);
        Assert.Contains("primary in apac", output, StringComparison.Ordinal);
        var moved = await cluster.Client(0).Admin.GetDatabaseAsync(Name);
        Assert.Equal(("apac", 3u), (moved.PrimaryRegion, moved.Options.Quorum));
        (code, _, errors) = await RsqlProcess.RunAsync("move", Name, "nowhere", "--server", server);
        Assert.NotEqual(0, code);
        Assert.Contains("nowhere", errors, StringComparison.Ordinal);
        Assert.Equal("apac", (await cluster.Client(0).Admin.GetDatabaseAsync(Name)).PrimaryRegion);
    }

    private static void AssertSame(Database expected, Database found)
    {
        // Size, bookmark and epoch move by themselves.
        static Database Settings(Database database) => new(database) { Bookmark = "", SizeBytes = 0, Epoch = 0 };
        Assert.Equal(Settings(expected), Settings(found));
    }

    private static async Task<ClusterFixture> StartAsync(Func<Node.LocalClusterOptions, Node.LocalClusterOptions>? configure = null)
    {
        var cluster = await ClusterFixture.StartAsync(configure);
        await cluster.Client(0).Admin.CreateDatabaseAsync(Name);
        await cluster.Database(0, Name).ScriptAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a')");
        return cluster;
    }
}
