using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>A primary's database files that were damaged while the cluster was stopped. Only that database suffers, and it says what is wrong.</summary>
public sealed class DamagedFileTests
{
    private const string Sum = "SELECT count(*) || ' ' || sum(x) FROM t";

    [Fact]
    public async Task What_is_left_of_a_WAL_is_not_trusted()
    {
        var random = new Random(Dose.Seed());
        await using var cluster = await ClusterFixture.StartAsync();
        var id = await CreateAsync(cluster, "d");
        string[] files = [cluster.PrimaryFile(id), cluster.ReplicaFile(id, ClusterFixture.Weur), cluster.ReplicaFile(id, ClusterFixture.Apac)];
        await cluster.SettleAsync("d");
        var older = files.Select(file => ReadShared(file + "-wal")).ToArray(); // valid frames of an older state
        await cluster.Database(0, "d").ExecuteAsync("UPDATE t SET x = x + 1");
        var bookmark = await cluster.SettleAsync("d");
        for (var round = 0; round < 3; round++)
        {
            await cluster.StopAsync();
            for (var i = 0; i < files.Length; i++)
            {
                await File.WriteAllBytesAsync(files[i] + "-wal", round == 0 ? older[i] : FileDamage.Garbage(random, random.Next(1, 50_000)));
                await File.WriteAllBytesAsync(files[i] + "-shm", FileDamage.Garbage(random, 32768));
            }

            await cluster.StartAgainAsync();
            await EveryRegionShowsAsync(cluster, "d", bookmark, "200 20300");
        }
    }

    [Theory]
    [InlineData("-sidecar", "flip")]
    [InlineData("-sidecar", "cut")]
    [InlineData("-sidecar", "empty")]
    [InlineData("-log", "flip")]
    [InlineData("-log", "cut")]
    [InlineData("-log", "empty")]
    [InlineData("", "cut")]
    [InlineData("", "empty")]
    [InlineData("", "header")]
    public async Task A_damaged_file_of_a_primary_is_refused_by_name_and_other_databases_go_on(string suffix, string damage)
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var id = await CreateAsync(cluster, "d");
        await CreateAsync(cluster, "other");
        var bookmark = await cluster.SettleAsync("d");
        await cluster.StopAsync();
        var path = cluster.PrimaryFile(id) + suffix;
        var whole = await File.ReadAllBytesAsync(path);
        Damage(path, damage, whole.Length);

        await cluster.StartAgainAsync();
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var failure = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(attempt, "d").ExecuteAsync("INSERT INTO t VALUES (1)")).InTimeAsync();
            Assert.Equal(ErrorCodes.SqliteCorrupt, failure.Code);
            Assert.Contains(path, failure.Message);
            Assert.Equal("200 20100", await cluster.Database(attempt, "other").QueryScalarAsync<string>(Sum));
        }

        // No primary has spoken since the start, so the copies show nothing either: refused, never something old.
        await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(ClusterFixture.Weur, "d").WithSession(Session.FirstUnconstrained)
            .QueryAsync(Sum, null, new QueryOptions { WaitTimeout = TimeSpan.FromMilliseconds(50) }));
        await cluster.StopAsync();
        await File.WriteAllBytesAsync(path, whole);
        await cluster.StartAgainAsync();
        await EveryRegionShowsAsync(cluster, "d", bookmark, "200 20100");
    }

    [Theory]
    [InlineData("")]
    [InlineData("-sidecar")]
    public async Task A_missing_file_of_a_primary_is_built_again_from_a_log_that_reaches_back(string suffix)
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var id = await CreateAsync(cluster, "d");
        var bookmark = await cluster.SettleAsync("d");
        await cluster.StopAsync();
        File.Delete(cluster.PrimaryFile(id) + suffix);
        await cluster.StartAgainAsync();
        await EveryRegionShowsAsync(cluster, "d", bookmark, "200 20100");
    }

    internal static void Damage(string path, string damage, long length)
    {
        switch (damage)
        {
            case "flip":
                FileDamage.FlipBit(path, length / 2);
                break;
            case "cut":
                FileDamage.Truncate(path, length / 2);
                break;
            case "empty":
                FileDamage.Truncate(path, 0);
                break;
            case "header":
                FileDamage.Overwrite(path, 0, FileDamage.Garbage(new Random(1), 100));
                break;
            case "pages":
                FileDamage.Overwrite(path, 4096, FileDamage.Garbage(new Random(1), (int)length - 4096));
                break;
            case "missing":
                File.Delete(path);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(damage), damage, "No such damage.");
        }
    }

    internal static async Task<string> CreateAsync(ClusterFixture cluster, string name)
    {
        var database = await cluster.Client(0).Admin.CreateDatabaseAsync(name);
        await cluster.Database(0, name).ScriptAsync(
            "CREATE TABLE t (x INTEGER, filler BLOB); INSERT INTO t SELECT value, randomblob(100) FROM (WITH RECURSIVE n (value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < 200) SELECT value FROM n)");
        return database.Id;
    }

    internal static async Task EveryRegionShowsAsync(ClusterFixture cluster, string name, Bookmark bookmark, string expected)
    {
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            var session = cluster.At(region, name, bookmark);
            Assert.Equal(expected, await session.QueryScalarAsync<string>(Sum));
            Assert.Equal("ok", await session.QueryScalarAsync<string>("PRAGMA integrity_check"));
        }
    }

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
