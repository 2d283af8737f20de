using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A database of profile d1 that a running node created: its limits hold in every region, at the limit and one beyond.</summary>
public sealed class D1DatabaseTests
{
    [Fact]
    public async Task Limits_hold_at_their_value_and_not_below()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var created = await cluster.Client(1).Admin.CreateDatabaseAsync(new Protocol.V1.CreateDatabaseRequest { Name = "d", PrimaryRegion = "enam", Options = new() { Profile = "d1" } });
        Assert.Equal("d1", created.Options.Profile);
        await cluster.Database(1, "d").ExecuteAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        var bookmark = await cluster.SettleAsync("d");
        await cluster.StopAsync();
        await cluster.StartAgainAsync(); // the catalogue remembers it
        static string Padded(int length) => "SELECT 1 --" + new string('x', length - 11);
        static string Columns(int count) => string.Join(", ", Enumerable.Range(0, count).Select(i => $"c{i}"));
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var session = cluster.At(region, "d", bookmark);
            await session.ExecuteAsync($"SELECT {string.Join(" IS ", Enumerable.Repeat("?", 50))}, {string.Join(" IS ", Enumerable.Repeat("?", 50))}", SqlParameters.Positional([.. Enumerable.Repeat<object?>(1L, 100)]));
            await RefusedAsync(ErrorCodes.SqliteError, $"SELECT {string.Join(", ", Enumerable.Repeat("max(?, ?)", 50))}, ?", SqlParameters.Positional([.. Enumerable.Repeat<object?>(1L, 101)]));
            await session.ExecuteAsync($"CREATE TABLE wide{region} ({Columns(100)})");
            await RefusedAsync(ErrorCodes.SqliteError, $"CREATE TABLE wider ({Columns(101)})");
            await session.ExecuteAsync(Padded(100_000));
            await RefusedAsync(ErrorCodes.SqliteTooBig, Padded(100_001));
            await session.ExecuteAsync("INSERT INTO t (v) VALUES (zeroblob(1999000))"); // a row counts as a whole
            await session.ExecuteAsync("SELECT length(?)", [new byte[2_000_000]]);
            await RefusedAsync(ErrorCodes.SqliteTooBig, "SELECT length(?)", [new byte[2_000_001]]);
            await RefusedAsync(ErrorCodes.SqliteTooBig, "INSERT INTO t (v) VALUES (zeroblob(2000001))");
            await RefusedAsync(ErrorCodes.SqliteAuth, "CREATE TEMP TABLE s (x)");
            await RefusedAsync(ErrorCodes.SqliteAuth, "CREATE TEMP VIEW s AS SELECT 1");
            await RefusedAsync(ErrorCodes.SqliteAuth, "VACUUM");
            await RefusedAsync(ErrorCodes.SqliteAuth, "CREATE TABLE _cf_mine (x)");
            await RefusedAsync(ErrorCodes.SqliteAuth, "PRAGMA user_version");

            async Task RefusedAsync(string code, string sql, SqlParameters? parameters = null)
            {
                var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => session.ExecuteAsync(sql, parameters));
                Assert.True(refused.Code == code && refused.CommitState == CommitState.NotCommitted, $"region {region}, {sql[..Math.Min(60, sql.Length)]}: {refused.Code} {refused.Message}");
            }
        }

        cluster.Log.HasNoErrors();
    }
}
