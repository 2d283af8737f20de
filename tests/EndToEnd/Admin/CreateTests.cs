using System.Net.Sockets;
using ReplicatedSqlite.Protocol;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>CreateDatabase when the primary's node takes the database and then cannot be asked about it.</summary>
public sealed class CreateTests
{
    [Fact]
    public async Task A_database_whose_primary_is_not_up_yet_stays_and_whoever_made_it_is_told()
    {
        var isCut = true;
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with
            {
                ConfigureForwarding = handler => handler.ConnectCallback = async (context, cancellationToken) =>
                {
                    if (Volatile.Read(ref isCut)) throw new IOException("cut");
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
        });

        var told = await Assert.ThrowsAsync<WriteOutcomeUnknownException>(() => cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync("shop", primaryRegion: "weur"));
        Assert.Contains("exists; its primary is not up yet", told.Message, StringComparison.Ordinal);

        // What others write to it meanwhile is not taken away from them.
        await cluster.Database(ClusterFixture.Weur, "shop").ScriptAsync("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
        var again = await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync("shop", primaryRegion: "weur"));
        Assert.Equal(ErrorCodes.DatabaseExists, again.Code);
        Volatile.Write(ref isCut, false);
        Assert.Equal(1, await cluster.Database(ClusterFixture.Weur, "shop").QueryScalarAsync<long>("SELECT count(*) FROM t"));
        await cluster.Client(ClusterFixture.Weur).Admin.DeleteDatabaseAsync("shop");
    }
}
