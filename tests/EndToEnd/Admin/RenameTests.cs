using System.Collections.Concurrent;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A name that goes from one database to another, also where nodes remember what it stood for before.</summary>
public sealed class RenameTests
{
    [Fact]
    public async Task The_old_name_is_not_found_at_once_in_every_region_and_sessions_go_on_under_the_new()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var id = (await cluster.Client(0).Admin.CreateDatabaseAsync("a")).Id;
        await cluster.Database(0, "a").ExecuteAsync("CREATE TABLE t (x)");
        var bookmark = await cluster.SettleAsync("a");
        await cluster.Client(2).Admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "b" });
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            await AssertNotFoundAsync(cluster.Channel(region), "a");
            Assert.Equal(0, await cluster.At(region, "b", bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t"));
            Assert.Equal(0, await cluster.At(region, id, bookmark).QueryScalarAsync<long>("SELECT count(*) FROM t"));
            Assert.Equal(["b"], await cluster.Client(region).Admin.ListDatabasesAsync().Select(database => database.Name).ToListAsync());
        }

        await cluster.StopAsync();
        await cluster.StartAgainAsync();
        await AssertNotFoundAsync(cluster.Channel(0), "a");
        Assert.Equal(id, (await cluster.Client(1).Admin.GetDatabaseAsync("b")).Id);
        Assert.NotEqual(id, (await cluster.Client(0).Admin.CreateDatabaseAsync("a")).Id); // and the old name is free
    }

    [Fact]
    public async Task A_node_that_remembers_an_old_name_is_told_by_the_primarys_and_looks_again()
    {
        await using var cluster = await LateCluster.StartAsync();
        var first = (await cluster.Clients[0].Admin.CreateDatabaseAsync("a")).Id;
        await cluster.Clients[0].Database("a").ExecuteAsync("CREATE TABLE t (x)");
        cluster.CatchUp();
        await cluster.Clients[0].Admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "b" });
        for (var late = 1; late < 3; late++)
        {
            Assert.Equal(first, cluster.Views[late].Find("a")!.Id.ToString()); // that is what it remembers
            await AssertNotFoundAsync(cluster.Channels[late], "a");
        }

        // Now the name is another database's, led by another node, and this view is old again.
        cluster.CatchUp();
        await cluster.Clients[0].Admin.UpdateDatabaseAsync(new() { Database = "b", NewName = "a" });
        cluster.CatchUp();
        await cluster.Clients[0].Admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "b" });
        var second = await cluster.Clients[1].Admin.CreateDatabaseAsync("a");
        Assert.Equal(first, cluster.Views[2].Find("a")!.Id.ToString());
        await cluster.Clients[2].Database("a").ExecuteAsync("CREATE TABLE only_in_second (x)");
        Assert.Equal(second.Id, cluster.Views[2].Find("a")!.Id.ToString());
        Assert.Equal(0, await cluster.Clients[0].Database("b").QueryScalarAsync<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'only_in_second'"));
        Assert.Equal(1, await cluster.Clients[1].Database("a").QueryScalarAsync<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'only_in_second'"));
        cluster.Log.HasNoErrors();
    }

    [Theory]
    [InlineData("Execute")]
    [InlineData("Stream")]
    [InlineData("Transact")]
    [InlineData("Describe")]
    [InlineData("GetOutcome")]
    [InlineData("GetDatabase")]
    [InlineData("GetBookmark")]
    [InlineData("UpdateDatabase")]
    [InlineData("DeleteDatabase")]
    [InlineData("ExecuteInSession")]
    public async Task Every_call_through_an_old_view_means_the_database_that_has_the_name_now(string call)
    {
        await using var cluster = await LateCluster.StartAsync();
        var old = (await cluster.Clients[0].Admin.CreateDatabaseAsync("a")).Id;
        await cluster.Clients[0].Database("a").ExecuteAsync("CREATE TABLE t AS SELECT 'old' AS x");
        cluster.CatchUp();
        await cluster.Clients[0].Admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "b" });
        var present = (await cluster.Clients[1].Admin.CreateDatabaseAsync("a")).Id;
        var bookmark = (await cluster.Clients[1].Database("a").ExecuteAsync("CREATE TABLE t AS SELECT 'new' AS x")).Bookmark;
        var late = cluster.Clients[2];
        Assert.Equal(old, cluster.Views[2].Find("a")!.Id.ToString());
        switch (call)
        {
            case "Execute":
                Assert.Equal("new", await late.Database("a").QueryScalarAsync<string>("SELECT x FROM t"));
                break;
            case "ExecuteInSession": // its bookmark looks foreign to the old one
                Assert.Equal("new", await late.Database("a").WithSession(bookmark).QueryScalarAsync<string>("SELECT x FROM t"));
                break;
            case "Stream":
                await foreach (var row in late.Database("a").StreamAsync("SELECT x FROM t"))
                {
                    Assert.Equal("new", row.GetString(0));
                }

                break;
            case "Transact": // a step may have been sent already: the client begins again
                var refused = await Assert.ThrowsAsync<UnavailableException>(() => late.Database("a").BeginTransactionAsync());
                Assert.True(refused is { Code: ErrorCodes.NoPrimary, IsTransient: true });
                await using (var transaction = await late.Database("a").BeginTransactionAsync())
                {
                    Assert.Equal("new", await transaction.QueryScalarAsync<string>("SELECT x FROM t"));
                }

                break;
            case "Describe":
                Assert.Equal("t", (await late.Database("a").DescribeAsync("SELECT x FROM t")).Columns[0].OriginTable);
                break;
            case "GetOutcome":
                Assert.Equal(bookmark.DatabaseTag, (await late.Database("a").GetOutcomeAsync("never")).Bookmark!.Value.DatabaseTag);
                break;
            case "GetDatabase":
                Assert.Equal(present, (await late.Admin.GetDatabaseAsync("a")).Id);
                break;
            case "GetBookmark":
                Assert.Equal(bookmark.DatabaseTag, (await late.Admin.GetBookmarkAsync("a")).DatabaseTag);
                break;
            case "UpdateDatabase":
                Assert.Equal(present, (await late.Admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "c" })).Id);
                break;
            case "DeleteDatabase":
                await late.Admin.DeleteDatabaseAsync("a");
                await AssertNotFoundAsync(cluster.Channels[1], "a");
                break;
        }

        Assert.Equal("old", await cluster.Clients[0].Database("b").QueryScalarAsync<string>("SELECT x FROM t"));
        cluster.Log.HasNoErrors();
    }

    [Fact]
    public async Task Renames_creations_and_writes_at_once_never_put_a_write_into_another_database()
    {
        var seed = Dose.Seed();
        await using var cluster = await LateCluster.StartAsync();

        // Which databases had a name at some moment: a write by that name may be found in one of those, and nowhere else.
        var named = new ConcurrentDictionary<string, ConcurrentBag<string>>();
        var written = new ConcurrentBag<(string Name, long Value)>();
        string[] names = ["a", "b", "c"];
        var ids = new List<string>();
        foreach (var name in names)
        {
            var database = await cluster.Clients[0].Admin.CreateDatabaseAsync(name);
            ids.Add(database.Id);
            named[name] = [database.Id];
            await cluster.Clients[0].Database(database.Id).ExecuteAsync("CREATE TABLE t (value INTEGER PRIMARY KEY, name TEXT)");
        }

        cluster.CatchUp();
        using var ending = new CancellationTokenSource();
        long next = 0;
        var refused = 0;
        var writers = Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            var random = new Random(seed + worker);
            while (!ending.IsCancellationRequested)
            {
                var name = names[random.Next(names.Length)];
                var value = Interlocked.Increment(ref next);
                try
                {
                    var client = cluster.Clients[random.Next(3)];
                    await client.Database(name).ExecuteAsync("INSERT INTO t VALUES (?, ?)", [value, name]);
                    written.Add((name, value));
                }
                catch (ReplicatedSqliteException e) when (e.Code is ErrorCodes.DatabaseNotFound or ErrorCodes.NoPrimary or ErrorCodes.SqliteError)
                {
                    Assert.Equal(CommitState.NotCommitted, e.CommitState); // no database, or one without its table yet
                    Interlocked.Increment(ref refused);
                }
            }
        })).ToList();

        var changes = new Random(seed);
        for (var i = 0; i < Dose.Of(30, 300); i++)
        {
            var name = names[changes.Next(names.Length)];
            var spare = $"spare{i}";
            var admin = cluster.Clients[changes.Next(3)].Admin;
            await admin.UpdateDatabaseAsync(new() { Database = name, NewName = spare });
            var found = cluster.Views[0].FindNewestAsync(name).AsTask();
            Assert.Null(await found);
            if (changes.Next(2) == 0)
            {
                var created = await cluster.Clients[changes.Next(3)].Admin.CreateDatabaseAsync(name);
                ids.Add(created.Id);
                named[name].Add(created.Id);
                await cluster.Clients[changes.Next(3)].Database(created.Id).ExecuteAsync("CREATE TABLE t (value INTEGER PRIMARY KEY, name TEXT)");
            }
            else
            {
                // Another that lies about takes the name.
                var other = ids[changes.Next(ids.Count)];
                var holder = (await admin.GetDatabaseAsync(other)).Name;
                named[name].Add(other);
                await admin.UpdateDatabaseAsync(new() { Database = other, NewName = name });
                if (names.Contains(holder))
                {
                    var created = await admin.CreateDatabaseAsync(holder);
                    ids.Add(created.Id);
                    named[holder].Add(created.Id);
                    await admin.UpdateDatabaseAsync(new() { Database = created.Id }); // nothing
                    await cluster.Clients[0].Database(created.Id).ExecuteAsync("CREATE TABLE t (value INTEGER PRIMARY KEY, name TEXT)");
                }
            }

            cluster.Views[changes.Next(3)].CatchUp();
        }

        await ending.CancelAsync();
        await Task.WhenAll(writers).InTimeAsync();
        var contents = new Dictionary<long, (string Id, string Name)>();
        cluster.CatchUp();
        foreach (var id in ids)
        {
            foreach (var row in (await cluster.Clients[0].Database(id).QueryAsync("SELECT value, name FROM t")).Rows)
            {
                Assert.True(contents.TryAdd(row.GetInt64(0), (id, row.GetString(1))), $"seed {seed}: {row.GetInt64(0)} is in two databases");
                Assert.True(named[row.GetString(1)].Contains(id), $"seed {seed}: a write to '{row.GetString(1)}' is in {id}, which never had that name");
            }
        }

        Assert.All(written, write => Assert.Equal(write.Name, contents[write.Value].Name)); // answered, so it is there
        Assert.True(written.Count > 50, $"seed {seed}: only {written.Count} writes were made, {refused} refused");
        cluster.Log.HasNoErrors();
    }

    private static async Task AssertNotFoundAsync(GrpcChannel channel, string name)
    {
        foreach (var session in (string[])["", "first-primary"])
        {
            foreach (var sql in (string[])["SELECT 1", "CREATE TABLE never (x)"])
            {
                var request = new ExecuteRequest { Database = name, Statements = { new Statement { Sql = sql } }, Read = new() { Session = session } };
                var failure = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(QueryMethods.Execute, request));
                Assert.Equal((StatusCode.NotFound, ErrorCodes.DatabaseNotFound), (failure.StatusCode, failure.FindDetail<SqlError>()?.Code));
            }
        }

        await using var transaction = new RawTransaction(channel);
        await transaction.SendAsync(new TransactRequest { Begin = new() { Database = name } });
        Assert.Equal(ErrorCodes.DatabaseNotFound, (await transaction.NextAsync())!.Failed.Error.Code);
        var admin = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(AdminMethods.DeleteDatabase, new DeleteDatabaseRequest { Database = name }));
        Assert.Equal(StatusCode.NotFound, admin.StatusCode);
    }
}
