using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>What tokens open, in every region, and when they open nothing.</summary>
public sealed class TokenTests
{
    private static readonly QueryOptions _here = new() { WaitTimeout = Eventually.Patience, OnWaitTimeout = OnWaitTimeout.Fail };

    [Fact]
    [Trait("Code", ErrorCodes.TokenLacksRight)]
    public async Task A_token_to_read_reads_and_nothing_else()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var token = (await cluster.CreateAsync(Right.Read)).Secret;
        var bookmark = await cluster.Cluster.SettleAsync("a");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var client = cluster.As(token, region);
            foreach (var database in (SqlExecutor[])[client.Database("a"), client.Database("a").WithSession(bookmark)])
            {
                Assert.Equal(0L, await database.QueryScalarAsync<long>("SELECT count(*) FROM t", null, _here));
                Assert.True((await database.DescribeAsync("SELECT * FROM t")).ReadOnly);
                await foreach (var _ in database.StreamAsync("SELECT * FROM t", null, _here))
                {
                    Assert.Fail("There are no rows yet.");
                }

                await using (var transaction = await database.BeginTransactionAsync(new() { ReadOnly = true }))
                {
                    await transaction.ExecuteAsync("SELECT * FROM t");
                }

                foreach (var sql in (string[])["INSERT INTO t VALUES (1)", "DELETE FROM t", "CREATE TABLE u (x)", "VACUUM", "PRAGMA user_version = 7", "INSERT INTO t VALUES (2) RETURNING x"])
                {
                    var refused = await RefusedAsync(() => database.ExecuteAsync(sql));
                    Assert.Contains("may only read", refused.Message, StringComparison.Ordinal);
                    Assert.Equal("NotCommitted", refused.CommitState.ToString());
                    Assert.True(refused.Bookmark >= bookmark); // what the schema said was confirmed
                    await RefusedAsync(() => database.ExecuteAsync(sql, null, new() { IdempotencyKey = "k" }));
                    await RefusedAsync(async () =>
                    {
                        await foreach (var _ in database.StreamAsync(sql))
                        {
                            Assert.Fail("Something was written.");
                        }
                    });
                }

                await RefusedAsync(() => database.ScriptAsync("SELECT 1; DELETE FROM t"));
                await RefusedAsync(() => database.BeginTransactionAsync());
                await RefusedAsync(() => database.GetOutcomeAsync("key")); // its answer can be final by a write alone
                var wrong = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => database.ExecuteAsync("SELECT * FROM nowhere", null, new() { IdempotencyKey = "k" }));
                Assert.Equal(ErrorCodes.SqliteError, wrong.Code);
            }

            var admin = client.Admin;
            Assert.Equal("a", (await admin.GetDatabaseAsync("a")).Name);
            Assert.Equal(2, await admin.ListDatabasesAsync().CountAsync());
            Assert.True(await admin.GetBookmarkAsync("a") >= bookmark);
            Assert.NotEmpty((await admin.GetServerInfoAsync()).ClusterId);
            await AdminIsRefusedAsync(admin);
        }

        Assert.Equal(0L, await cluster.Cluster.Database(0, "a").QueryScalarAsync<long>("SELECT count(*) FROM t"));
        Assert.Contains(cluster.Cluster.Log.Lines, line => line.Contains("Refused replicatedsqlite.v1.Query/Execute", StringComparison.Ordinal) && line.Contains(ErrorCodes.TokenLacksRight, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_to_write_writes_through_every_region_and_manages_nothing()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var token = (await cluster.CreateAsync(Right.Write, "a")).Secret;
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var client = cluster.As(token, region);
            await client.Database("a").ExecuteAsync("INSERT INTO t VALUES (1)", null, new() { IdempotencyKey = $"k{region}" });
            Assert.Equal("Committed", (await client.Database("a").GetOutcomeAsync($"k{region}")).State.ToString());
            await using (var transaction = await client.Database("a").BeginTransactionAsync())
            {
                await transaction.ExecuteAsync("INSERT INTO t VALUES (2)");
                await transaction.CommitAsync();
            }

            await AdminIsRefusedAsync(client.Admin);
        }

        Assert.Equal(6L, await cluster.Cluster.Database(0, "a").QueryScalarAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task A_token_for_some_databases_does_not_see_the_others()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var token = (await cluster.CreateAsync(Right.Admin, "a")).Secret;
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var client = cluster.As(token, region);
            Assert.Equal(0L, await client.Database("a").QueryScalarAsync<long>("SELECT count(*) FROM t"));
            Assert.Equal(["a"], await client.Admin.ListDatabasesAsync().Select(database => database.Name).ToListAsync());
            Assert.Empty(await client.Admin.ListDatabasesAsync("b").ToListAsync());
            var other = (await cluster.Admin.GetDatabaseAsync("b")).Id;
            foreach (var name in (string[])["b", other, "missing"])
            {
                await NotFoundAsync(name, () => client.Database(name).ExecuteAsync("SELECT 1"));
                await NotFoundAsync(name, () => client.Database(name).BeginTransactionAsync());
                await NotFoundAsync(name, () => client.Admin.GetDatabaseAsync(name));
                await NotFoundAsync(name, () => client.Admin.GetBookmarkAsync(name));
                await NotFoundAsync(name, () => client.Admin.DeleteDatabaseAsync(name));
                await NotFoundAsync(name, () => client.Admin.MovePrimaryAsync(new() { Database = name, Region = "weur" }));
                await NotFoundAsync(name, () => client.Admin.UpdateDatabaseAsync(new() { Database = name }));
                await NotFoundAsync(name, () => client.Admin.GetTopologyAsync(name));
            }

            Assert.NotEmpty((await client.Admin.GetTopologyAsync("a")).Copies);
            await client.Admin.UpdateDatabaseAsync(new() { Database = "a", Options = new() { Profile = "d1" } });
            await RefusedAsync(() => client.Admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "c" })); // names are the whole cluster's
            await RefusedAsync(() => client.Admin.CreateDatabaseAsync("c"));
            await RefusedAsync(() => client.Admin.ListTokensAsync());
            await RefusedAsync(() => client.Admin.CreateTokenAsync(new() { Name = "more", Right = Right.Admin }));
        }

        // The token is for the database, whatever it is called, and for no other of that name.
        await cluster.Admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "was-a" });
        await cluster.Admin.UpdateDatabaseAsync(new() { Database = "b", NewName = "a" });
        var later = cluster.As(token, ClusterFixture.Apac);
        Assert.Equal(["was-a"], await later.Admin.ListDatabasesAsync().Select(database => database.Name).ToListAsync());
        await NotFoundAsync("a", () => later.Database("a").ExecuteAsync("SELECT 1"));
        Assert.Equal(["was-a"], Assert.Single(await cluster.Admin.ListTokensAsync()).Databases);
    }

    [Fact]
    [Trait("Code", ErrorCodes.TokenInvalid)]
    public async Task A_token_opens_nothing_once_it_was_revoked_by_another_node()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var tokens = new[] { await cluster.CreateAsync(Right.Write), await cluster.CreateAsync(Right.Write) };
        var apac = tokens.Select(token => cluster.As(token.Secret, ClusterFixture.Apac).Database("a")).ToList();
        await Task.WhenAll(apac.Select(database => database.ExecuteAsync("INSERT INTO t VALUES (1)")));
        await cluster.Cluster.Client(ClusterFixture.Enam).Admin.RevokeTokenAsync(tokens[0].Token.Id);
        await cluster.Cluster.Client(ClusterFixture.Weur).Admin.RevokeTokenAsync(tokens[1].Secret); // as a leaked one is found
        foreach (var database in apac)
        {
            Assert.Contains("not known here", (await InvalidAsync(() => database.ExecuteAsync("SELECT 1"))).Message, StringComparison.Ordinal);
        }

        Assert.Empty(await cluster.Admin.ListTokensAsync());
        foreach (var id in (string[])[tokens[0].Token.Id, "", "nonsense"])
        {
            var unknown = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Admin.RevokeTokenAsync(id));
            Assert.Equal(ErrorCodes.InvalidRequest, unknown.Code);
        }
    }

    [Fact]
    public async Task A_token_opens_nothing_from_its_end_on()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var created = await cluster.Admin.CreateTokenAsync(new() { Name = "short", Right = Right.Read, ExpiresAt = TokenCluster.Soon(TimeSpan.FromSeconds(1)) });
        var database = cluster.As(created.Secret, ClusterFixture.Weur).Database("a");
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    await database.ExecuteAsync("SELECT 1");
                    return false;
                }
                catch (ReplicatedSqliteException e)
                {
                    Assert.Equal(ErrorCodes.TokenInvalid, e.Code);
                    Assert.Contains($"The token {created.Token.Id} expired at", e.Message, StringComparison.Ordinal);
                    return true;
                }
            },
            "the token expires");
        Assert.True(TimeProvider.System.GetUtcNow() >= created.Token.ExpiresAt.ToDateTimeOffset());
        foreach (var end in (Timestamp[])[TokenCluster.Soon(TimeSpan.FromSeconds(-1)), new() { Seconds = long.MaxValue }, new() { Nanos = -1 }])
        {
            var past = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Admin.CreateTokenAsync(new() { Name = "over", Right = Right.Read, ExpiresAt = end }));
            Assert.Equal(ErrorCodes.InvalidRequest, past.Code);
        }
    }

    [Fact]
    public async Task What_is_no_token_of_this_cluster_is_refused_even_where_none_is_needed()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var good = (await cluster.CreateAsync(Right.Admin)).Secret;
        var other = (await cluster.CreateAsync(Right.Admin)).Secret;
        var channel = cluster.Cluster.Channel(ClusterFixture.Weur);
        string[] bad =
        [
            "", "Bearer", "Bearer ", "Bearer rs_", $"Basic {good}", good, $"Bearer {good[..^1]}", $"Bearer {good}0", $"Bearer {good.ToUpperInvariant()}",
            $"Bearer {good[..^1]}{(good[^1] == '0' ? '1' : '0')}", // one digit off
            $"Bearer {good[..19]}{other[19..]}", // another token's secret
            $"Bearer rs_{new string('0', 16)}_{new string('0', 64)}", $"Bearer {good}, Bearer {good}", "Bearer rs_~",
        ];
        foreach (var authorization in bad)
        {
            var (code, status, text) = await TokenCluster.FailAsync(channel, TokenCluster.Sql("a", "SELECT 1"), ("authorization", authorization));
            Assert.Equal((ErrorCodes.TokenInvalid, StatusCode.Unauthenticated), (code, status));
            Assert.DoesNotContain(good[20..40], text, StringComparison.Ordinal);
        }

        await channel.CallAsync(QueryMethods.Execute, TokenCluster.Sql("a", "SELECT 1"), new CallOptions { Headers = new Metadata { { "authorization", $"bearer {good}" } } });
    }

    [Fact]
    [Trait("Code", ErrorCodes.TokenMissing)]
    public async Task Clients_on_this_machine_need_a_token_where_tokens_are_required()
    {
        var isRequired = false;
        await using var cluster = await ClusterFixture.StartAsync(options => options with { Configure = node => node with { Router = node.Router with { RequireTokens = isRequired } } });
        await cluster.Client(0).Admin.CreateDatabaseAsync("a");
        var secret = (await cluster.Client(0).Admin.CreateTokenAsync(new() { Name = "first", Right = Right.Admin })).Secret;
        await cluster.StopAsync();
        isRequired = true;
        await cluster.StartAgainAsync();
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var client = cluster.Client(region);
            Func<Task>[] calls =
            [
                () => client.Database("a").ExecuteAsync("SELECT 1"),
                () => client.Database("a").StreamAsync("SELECT 1").CountAsync().AsTask(),
                () => client.Database("a").DescribeAsync("SELECT 1"),
                () => client.Database("a").GetOutcomeAsync("key"),
                () => client.Database("a").BeginTransactionAsync(),
                () => client.Admin.GetServerInfoAsync(),
                () => client.Admin.ListDatabasesAsync().CountAsync().AsTask(),
                () => client.Admin.CreateDatabaseAsync("b"),
                () => client.Admin.GetTopologyAsync(),
                () => client.Admin.CreateTokenAsync(new() { Name = "mine", Right = Right.Admin }),
            ];
            foreach (var call in calls)
            {
                var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(call);
                Assert.Equal(ErrorCodes.TokenMissing, refused.Code);
            }

            await using var known = new ReplicatedSqliteClient(cluster.Node(region).GrpcAddress.ToString(), new() { Token = secret });
            await known.Database("a").ExecuteAsync($"CREATE TABLE t{region} (x)"); // over the hop to the primary too
            Assert.Equal(3, (await known.Admin.GetTopologyAsync()).Nodes.Count);
            var health = await cluster.Channel(region).CallAsync(
                new GrpcMethod<global::Grpc.Health.V1.HealthCheckRequest, global::Grpc.Health.V1.HealthCheckResponse>("grpc.health.v1.Health", "Check", MethodKind.Unary), new global::Grpc.Health.V1.HealthCheckRequest());
            Assert.Equal(global::Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
        }
    }

    [Fact]
    public async Task Tokens_are_kept_over_a_restart_and_only_as_hashes()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var created = await cluster.CreateAsync(Right.Read, "a", "a", (await cluster.Admin.GetDatabaseAsync("a")).Id);
        Assert.Matches("^rs_[0-9a-f]{16}_[0-9a-f]{64}$", created.Secret);
        Assert.Equal(["a"], created.Token.Databases);
        Assert.Null(created.Token.LastUsedAt);
        await cluster.As(created.Secret, ClusterFixture.Apac).Database("a").ExecuteAsync("SELECT 1");
        await cluster.Cluster.StopAsync(); // notes when it was used
        var secret = created.Secret[20..];
        foreach (var file in Directory.EnumerateFiles(cluster.Cluster.Folder, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith("/lock", StringComparison.Ordinal)))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            Assert.True(bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(secret)) < 0, file);
            Assert.True(bytes.AsSpan().IndexOf(Convert.FromHexString(secret)) < 0, file);
        }

        await cluster.Cluster.StartAgainAsync();
        var kept = Assert.Single(await cluster.Cluster.Client(0).Admin.ListTokensAsync());
        Assert.Equal(created.Token, new Token(kept) { LastUsedAt = null });
        Assert.InRange(TimeProvider.System.GetUtcNow() - kept.LastUsedAt.ToDateTimeOffset(), TimeSpan.Zero, TimeSpan.FromMinutes(2));
        await using var client = new ReplicatedSqliteClient(cluster.Cluster.Node(ClusterFixture.Weur).GrpcAddress.ToString(), new() { Token = created.Secret });
        Assert.Equal(0L, await client.Database("a").QueryScalarAsync<long>("SELECT count(*) FROM t"));
    }

    [Fact]
    public async Task A_token_that_cannot_be_made_is_refused_by_what_is_wrong()
    {
        await using var cluster = await TokenCluster.StartAsync();
        (CreateTokenRequest Request, string Code)[] wrong =
        [
            (new() { Right = Right.Read }, ErrorCodes.InvalidRequest),
            (new() { Name = "a\nb", Right = Right.Read }, ErrorCodes.InvalidRequest),
            (new() { Name = new string('n', 101), Right = Right.Read }, ErrorCodes.InvalidRequest),
            (new() { Name = "n" }, ErrorCodes.InvalidRequest),
            (new() { Name = "n", Right = (Right)9 }, ErrorCodes.InvalidRequest),
            (new() { Name = "n", Right = Right.Read, Databases = { "missing" } }, ErrorCodes.DatabaseNotFound),
            (new() { Name = "n", Right = Right.Read, Databases = { Enumerable.Repeat("a", 1001) } }, ErrorCodes.InvalidRequest),
        ];
        foreach (var (request, code) in wrong)
        {
            Assert.Equal(code, (await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Admin.CreateTokenAsync(request))).Code);
        }

        Assert.Empty(await cluster.Admin.ListTokensAsync());
    }

    [Fact]
    public async Task No_secret_is_ever_logged()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var tokens = new[] { await cluster.CreateAsync(Right.Read, "a"), await cluster.CreateAsync(Right.Admin) };
        foreach (var token in tokens)
        {
            for (var region = 0; region < ClusterFixture.RegionCount; region++)
            {
                var client = cluster.As(token.Secret, region);
                await client.Database("a").ExecuteAsync("SELECT 1");
                await Assert.ThrowsAsync<ReplicatedSqliteException>(() => client.Database("b").ExecuteAsync("INSERT INTO nowhere VALUES (1)"));
            }
        }

        var wrong = cluster.As(tokens[0].Secret[..^2] + "00");
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => wrong.Database("a").ExecuteAsync("SELECT 1"));
        var half = cluster.As(tokens[0].Secret[20..]);
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => half.Database("a").ExecuteAsync("SELECT 1"));
        await cluster.Admin.RevokeTokenAsync(tokens[1].Secret);
        await cluster.Cluster.StopAsync();
        var lines = cluster.Cluster.Log.Lines;
        Assert.True(lines.Count > 200, $"Only {lines.Count} lines were logged at the finest level.");
        Assert.Contains(lines, line => line.Contains($"token {tokens[0].Token.Id}", StringComparison.Ordinal));
        foreach (var token in tokens)
        {
            var secret = token.Secret[20..];
            Assert.DoesNotContain(lines, line => line.Contains(secret[..16], StringComparison.OrdinalIgnoreCase) || line.Contains(secret[^18..^2], StringComparison.OrdinalIgnoreCase));
        }
    }

    private static async Task AdminIsRefusedAsync(AdminClient admin)
    {
        Func<Task>[] calls =
        [
            () => admin.CreateDatabaseAsync("c"),
            () => admin.UpdateDatabaseAsync(new() { Database = "a", NewName = "c" }),
            () => admin.DeleteDatabaseAsync("a"),
            () => admin.MovePrimaryAsync(new() { Database = "a", Region = "weur" }),
            () => admin.GetTopologyAsync(),
            () => admin.GetTopologyAsync("a"),
            () => admin.CreateTokenAsync(new() { Name = "more", Right = Right.Read }),
            () => admin.ListTokensAsync(),
            () => admin.RevokeTokenAsync("0123456789abcdef"),
        ];
        foreach (var call in calls)
        {
            await RefusedAsync(call);
        }
    }

    private static Task<ReplicatedSqliteException> RefusedAsync(Func<Task> call) => FailsAsync(ErrorCodes.TokenLacksRight, call);

    private static Task<ReplicatedSqliteException> InvalidAsync(Func<Task> call) => FailsAsync(ErrorCodes.TokenInvalid, call);

    // The same words for what is hidden as for what is not there.
    private static async Task NotFoundAsync(string name, Func<Task> call) => Assert.Equal(
        $"There is no database '{name}'. Names are case-sensitive; ListDatabases shows them.", (await FailsAsync(ErrorCodes.DatabaseNotFound, call)).Message);

    private static async Task<ReplicatedSqliteException> FailsAsync(string code, Func<Task> call)
    {
        var failure = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(call);
        Assert.True(failure.Code == code, $"{failure.Code} instead of {code}: {failure.Message}");
        return failure;
    }
}
