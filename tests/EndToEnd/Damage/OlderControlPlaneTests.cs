using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>control.sqlite brought back from an older copy: it names old epochs and lacks the newest databases.</summary>
public sealed class OlderControlPlaneTests
{
    [Fact]
    public async Task Databases_that_it_lists_go_on_and_others_are_kept_for_the_newer_one()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(0).Admin.CreateDatabaseAsync("old");
        await cluster.Database(0, "old").ExecuteAsync("CREATE TABLE t (x)");
        await cluster.StopAsync();
        var before = await ReadAsync(cluster);

        await cluster.StartAgainAsync();
        await cluster.Database(0, "old").ExecuteAsync("INSERT INTO t VALUES (1)");
        await cluster.Client(0).Admin.CreateDatabaseAsync("new");
        await cluster.Database(0, "new").ScriptAsync("CREATE TABLE t (x); INSERT INTO t VALUES (2)");
        var epoch = (await cluster.Client(0).Admin.GetDatabaseAsync("old")).Epoch;
        await cluster.StopAsync();
        var after = await ReadAsync(cluster);

        await WriteAsync(cluster, before);
        await cluster.StartAgainAsync();
        Assert.Equal(1, await cluster.Database(0, "old").QueryScalarAsync<long>("SELECT sum(x) FROM t"));
        Assert.True((await cluster.Client(0).Admin.GetDatabaseAsync("old")).Epoch > epoch, "no epoch is used twice");
        var missing = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => cluster.Database(0, "new").QueryAsync("SELECT 1"));
        Assert.Equal(ErrorCodes.DatabaseNotFound, missing.Code);
        Assert.Contains(cluster.Log.Errors, static error => error.Contains("does not know of it", StringComparison.Ordinal));
        await cluster.StopAsync();

        await WriteAsync(cluster, after);
        await cluster.StartAgainAsync();
        Assert.Equal(2, await cluster.Database(0, "new").QueryScalarAsync<long>("SELECT sum(x) FROM t"));
        Assert.Equal(1, await cluster.Database(0, "old").QueryScalarAsync<long>("SELECT sum(x) FROM t"));
    }

    private static async Task<Dictionary<string, byte[]>> ReadAsync(ClusterFixture cluster)
    {
        var files = new Dictionary<string, byte[]>();
        foreach (var file in Directory.EnumerateFiles(cluster.Folder, "control.sqlite*"))
        {
            files.Add(file, await File.ReadAllBytesAsync(file));
        }

        return files;
    }

    private static async Task WriteAsync(ClusterFixture cluster, Dictionary<string, byte[]> files)
    {
        foreach (var file in Directory.EnumerateFiles(cluster.Folder, "control.sqlite*").ToList())
        {
            File.Delete(file);
        }

        foreach (var (file, bytes) in files)
        {
            await File.WriteAllBytesAsync(file, bytes);
        }
    }
}
