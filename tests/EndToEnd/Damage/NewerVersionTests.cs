using System.Buffers.Binary;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Files that a newer version of the product has left: named, and not touched, so that the newer version finds them as they were.</summary>
public sealed class NewerVersionTests
{
    [Fact]
    public async Task A_replica_of_a_newer_format_is_left_alone_and_serves_again_after_the_newer_version_is_back()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var id = await DamagedFileTests.CreateAsync(cluster, "d");
        var bookmark = await cluster.SettleAsync("d");
        await cluster.StopAsync();
        var sidecar = cluster.ReplicaFile(id, ClusterFixture.Apac) + "-sidecar";
        var old = await File.ReadAllBytesAsync(sidecar, TestContext.Current.CancellationToken);
        var newer = WithVersion(old, 2);
        await File.WriteAllBytesAsync(sidecar, newer, TestContext.Current.CancellationToken);
        var file = await File.ReadAllBytesAsync(cluster.ReplicaFile(id, ClusterFixture.Apac), TestContext.Current.CancellationToken);

        await cluster.StartAgainAsync();
        Assert.NotEqual("apac", (await cluster.At(ClusterFixture.Apac, "d", bookmark).ExecuteAsync("SELECT 1")).Served.Region); // another copy answers
        await Eventually.TrueAsync(() => cluster.Log.Lines.Any(line => line.Contains("has format version 2; this build reads version 1", StringComparison.Ordinal)), "the node says which version it found");
        Assert.Equal("200 20100", await cluster.Database(0, "d").QueryScalarAsync<string>("SELECT count(*) || ' ' || sum(x) FROM t")); // the others go on
        await cluster.StopAsync();

        Assert.Equal(newer, await File.ReadAllBytesAsync(sidecar, TestContext.Current.CancellationToken));
        Assert.Equal(file, await File.ReadAllBytesAsync(cluster.ReplicaFile(id, ClusterFixture.Apac), TestContext.Current.CancellationToken));

        await File.WriteAllBytesAsync(sidecar, old, TestContext.Current.CancellationToken); // as the newer version would read it
        await cluster.StartAgainAsync();
        await DamagedFileTests.EveryRegionShowsAsync(cluster, "d", bookmark, "200 20100");
    }

    private static byte[] WithVersion(byte[] sidecar, byte version)
    {
        var newer = (byte[])[.. sidecar];
        newer[0] = version;
        BinaryPrimitives.WriteUInt32LittleEndian(newer.AsSpan(newer.Length - 4), Crc32C.Of(newer.AsSpan(0, newer.Length - 4)));
        return newer;
    }
}
