using ReplicatedSqlite.Bench.Harness;

namespace ReplicatedSqlite.Bench.Tests;

/// <summary>The systems that we are compared with do what the comparison takes for granted. The servers take seconds to start, so they belong to the long form.</summary>
public sealed class PeerTests
{
    [Theory(Explicit = true)]
    [InlineData("sqlite")]
    [InlineData("etcd")]
    [InlineData("postgres")]
    [InlineData("mariadb")]
    [InlineData("miniflare")]
    [InlineData("rqlite")]
    [InlineData("sqld")]
    public async Task A_peer_keeps_rows_shows_own_writes_and_counts_them(string name)
    {
        await using var server = await ServerProcess.StartAsync([], TestContext.Current.CancellationToken);
        var remarks = new Remarks();
        await using var peers = await PeerSet.StartAsync(new BenchOptions { Scenario = "writes", Peers = [name] }, server, remarks);
        Assert.SkipWhen(peers.Peers.Count == 0, string.Join("; ", remarks.Notes));

        var peer = Assert.Single(peers.Peers);
        var ids = await peer.FillAsync(40, i => $"value {i}");
        await peer.CheckAsync();
        var connection = (await peer.ConnectAsync(2))[1];
        Assert.Equal("value 7", await connection.ReadAsync(ids[7]));
        for (var i = 0; i < 20; i++)
        {
            var id = await connection.InsertAsync($"own {i}");
            peer.Count();
            await connection.MarkAsync();
            Assert.Equal($"own {i}", await connection.ReadOwnAsync(id));
        }

        if (peer.HasBatches)
        {
            await connection.InsertAsync("together", 3);
            peer.Count();
            peer.Count();
            peer.Count();
        }

        await peer.CheckAsync();
    }

    [Fact]
    public async Task A_peer_that_is_not_installed_is_left_out_with_a_word()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("SQLD") is { Length: > 0 }, "It is installed.");
        await using var server = await ServerProcess.StartAsync([], TestContext.Current.CancellationToken);
        var remarks = new Remarks();
        await using var peers = await PeerSet.StartAsync(new BenchOptions { Scenario = "writes", Peers = ["sqld"] }, server, remarks);
        Assert.Empty(peers.Peers);
        Assert.Contains(remarks.Notes, note => note.Contains("SQLD does not name", StringComparison.Ordinal));
    }
}
