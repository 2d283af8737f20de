using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EtcdTokenTests : EtcdTest
{
    private EtcdServer _server = null!;

    protected override async Task BeginAsync() => _server = Keep(await EtcdServer.StartAsync());

    [Fact]
    public async Task Every_node_knows_within_a_second_what_became_of_a_token()
    {
        var (one, other) = (await ConnectAsync("one", _server.Endpoint), await ConnectAsync("other", _server.Endpoint));
        Assert.Equal(one.NodeKey, other.NodeKey);
        Assert.Equal(64, one.NodeKey.Length);
        var fastest = TimeSpan.MaxValue; // of several, since other tests run beside this one
        for (var i = 0; i < 5; i++)
        {
            var token = ControlPlaneContract.Token(i);
            await one.Tokens.AddAsync(token);
            Assert.Equal(token.Id, (await other.Tokens.FindNewestAsync(token.Id))?.Id); // even before the watch has brought it
            await one.Tokens.RemoveAsync(token.Id);
            var removed = TimeProvider.System.GetTimestamp();
            await UntilAsync(() => other.Tokens.Find(token.Id) is null, "its end is known");
            fastest = TimeSpan.FromTicks(Math.Min(fastest.Ticks, TimeProvider.System.GetElapsedTime(removed).Ticks));
        }

        Assert.True(fastest < TimeSpan.FromSeconds(1), $"It took {fastest}.");
    }

    [Fact]
    public async Task A_node_that_starts_while_etcd_is_away_knows_the_tokens_and_the_key_of_the_nodes()
    {
        var node = await ConnectAsync("node", _server.Endpoint);
        await node.Tokens.AddAsync(ControlPlaneContract.Token(1));
        await node.Tokens.AddAsync(ControlPlaneContract.Token(2));
        await node.Tokens.RemoveAsync(ControlPlaneContract.Token(1).Id);
        var key = node.NodeKey;
        await node.DisposeAsync();
        await _server.KillAsync();
        var late = await ConnectAsync("node", _server.Endpoint);
        Assert.NotNull(late.Trouble);
        Assert.Equal(key, late.NodeKey);
        Assert.Null(late.Tokens.Find(ControlPlaneContract.Token(1).Id));
        Assert.Equal(ControlPlaneContract.Token(2).SecretHash, late.Tokens.Find(ControlPlaneContract.Token(2).Id)?.SecretHash);
        await Assert.ThrowsAsync<Protocol.RequestException>(() => late.Tokens.AddAsync(ControlPlaneContract.Token(3)));
        await _server.StartAsync();
        await UntilAsync(() => late.Trouble is null, "etcd is back");
        await late.Tokens.AddAsync(ControlPlaneContract.Token(3));
        Assert.Equal(2, (await late.Tokens.ListAsync()).Count);
    }

    [Fact]
    public async Task A_token_that_was_revoked_since_a_backup_opens_nothing_when_the_backup_is_accepted()
    {
        var node = await ConnectAsync("node", _server.Endpoint);
        var (kept, revoked, later) = (ControlPlaneContract.Token(1), ControlPlaneContract.Token(2), ControlPlaneContract.Token(3));
        await node.Tokens.AddAsync(kept);
        await node.Tokens.AddAsync(revoked);
        await _server.SaveSnapshotAsync("backup");
        await node.Tokens.RemoveAsync(revoked.Id);
        await node.Tokens.AddAsync(later);
        var key = node.NodeKey;
        await node.DisposeAsync();
        await _server.KillAsync();
        await _server.RestoreSnapshotAsync("backup");
        await _server.StartAsync();
        var accepting = await ConnectAsync(Options("node", _server.Endpoint) with { AcceptRestored = true });
        var fresh = await ConnectAsync("fresh", _server.Endpoint);
        foreach (var control in new[] { accepting, fresh })
        {
            Assert.Equal([kept.Id, later.Id], (await control.Tokens.ListAsync()).Select(token => token.Id));
            Assert.Equal(key, control.NodeKey);
        }
    }
}
