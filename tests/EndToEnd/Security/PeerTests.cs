using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Node;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Clients are not nodes, whatever they say, and clients from elsewhere are not from here.</summary>
public sealed class PeerTests
{
    /// <summary>An address of this machine that is not loopback.</summary>
    internal static IPAddress? OwnAddress { get; } = NetworkInterface.GetAllNetworkInterfaces()
        .Where(face => face.OperationalStatus == OperationalStatus.Up)
        .SelectMany(face => face.GetIPProperties().UnicastAddresses)
        .Select(unicast => unicast.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));

    internal const string NoAddress = "This machine has no address but loopback.";

    [Fact]
    public async Task The_nodes_own_services_take_calls_from_nodes_only()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var admin = (await cluster.CreateAsync(Right.Admin)).Secret;
        var channel = cluster.Cluster.Channel(ClusterFixture.Weur);
        (string, string)[][] disguises =
        [
            [], [("authorization", $"Bearer {admin}")], [(NodeKey.Header, "")], [(NodeKey.Header, NodeKey.Create())], [(Forwarding.Header, cluster.Cluster.Node(0).Id)],
        ];
        foreach (var headers in disguises)
        {
            var options = new CallOptions { Headers = Headers(headers), Timeout = Eventually.Patience };
            await RefusedAsync(() => channel.CallAsync(ReplicationMethods.GetCopy, new GetCopyRequest { DatabaseId = Guid.NewGuid().ToString() }, options));
            await RefusedAsync(() => channel.CallAsync(ReplicationMethods.TakeOver, new TakeOverRequest { DatabaseId = Guid.NewGuid().ToString(), Epoch = 1 }, options));
            await RefusedAsync(() => channel.CallAsync(ReplicationMethods.LocateBookmark, new LocateBookmarkRequest(), options));
            await RefusedAsync(() => channel.CallAsync(FollowerMethods.Probe, new ProbeRequest(), options));
            await RefusedAsync(() => channel.OpenServerStream(FollowerMethods.Read, new ReadLogRequest(), options).CountAsync().AsTask());
            await RefusedAsync(() => channel.OpenDuplex(FollowerMethods.Follow, options).Responses.CountAsync().AsTask());
            await RefusedAsync(() => channel.OpenDuplex(ReplicationMethods.Subscribe, options).Responses.CountAsync().AsTask());
        }
    }

    [Fact]
    public async Task A_client_that_says_that_it_is_a_node_gets_no_right_by_it()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var reader = (await cluster.CreateAsync(Right.Read, "a")).Secret;
        var channel = cluster.Cluster.Channel(ClusterFixture.Enam);
        foreach (var forged in (string[])["admin - *", "write - *", "admin 0123456789abcdef *", "", "root"])
        {
            foreach (var more in (string[])["", NodeKey.Create()])
            {
                (string, string)[] headers =
                [
                    ("authorization", $"Bearer {reader}"), (Forwarding.Header, cluster.Cluster.Node(1).Id), (Forwarding.CallerHeader, forged), (NodeKey.Header, more),
                ];
                var (code, status, _) = await TokenCluster.FailAsync(channel, TokenCluster.Sql("a", "DELETE FROM t"), headers);
                Assert.Equal((ErrorCodes.TokenLacksRight, StatusCode.PermissionDenied), (code, status));
            }

            // Nor is what such a call carries beside that mark for clients to send, one by one.
            foreach (var header in Forwarding.FurtherHeaders)
            {
                var (refused, _, text) = await TokenCluster.FailAsync(channel, TokenCluster.Sql("a", "SELECT 1"), ("authorization", $"Bearer {reader}"), (header, forged.Length > 0 ? forged : "1"));
                Assert.Equal(ErrorCodes.TokenLacksRight, refused);
                Assert.Contains(header, text, StringComparison.Ordinal);
            }
        }

        var (anonymous, _, _) = await TokenCluster.FailAsync(channel, TokenCluster.Sql("a", "SELECT 1"), (Forwarding.Header, cluster.Cluster.Node(1).Id), (Forwarding.CallerHeader, "admin - *"));
        Assert.Equal(ErrorCodes.TokenLacksRight, anonymous);
        Assert.Contains(cluster.Cluster.Log.Lines, line => line.Contains("Refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Clients_from_elsewhere_need_a_token_and_can_do_with_it_what_it_allows()
    {
        Assert.SkipUnless(OwnAddress is not null, NoAddress);
        await using var cluster = await ClusterFixture.StartAsync(options => options with
        {
            Configure = node => node with { Address = node.Region == "weur" ? OwnAddress : node.Address, AllowPlaintextBeyondLoopback = true },
        });
        await cluster.Client(0).Admin.CreateDatabaseAsync("a");
        var created = await cluster.Client(0).Admin.CreateTokenAsync(new() { Name = "elsewhere", Right = Right.Write, Databases = { "a" } });
        var elsewhere = cluster.Node(ClusterFixture.Weur).GrpcAddress.ToString();
        await using (var nobody = new ReplicatedSqliteClient(elsewhere))
        {
            var refused = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => nobody.Database("a").ExecuteAsync("SELECT 1"));
            Assert.Equal(ErrorCodes.TokenMissing, refused.Code);
        }

        var open = Assert.Throws<ArgumentException>(() => new ReplicatedSqliteClient(elsewhere, new() { Token = created.Secret }));
        Assert.Contains("unencrypted", open.Message, StringComparison.Ordinal);
        await using var client = new ReplicatedSqliteClient(elsewhere, new() { Token = created.Secret, AllowPlaintextToken = true });
        await client.Database("a").ExecuteAsync("CREATE TABLE t (x)"); // passed on to the primary, which sees a node and hears whom it stands for
        var lacks = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => client.Admin.DeleteDatabaseAsync("a"));
        Assert.Equal(ErrorCodes.TokenLacksRight, lacks.Code);

        // The HTTP port tells strangers whether the node is well, and nothing else.
        using var http = new HttpClient { BaseAddress = cluster.Node(ClusterFixture.Weur).HttpAddress };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri("/anything", UriKind.Relative))).StatusCode);
        http.DefaultRequestHeaders.Authorization = new("Bearer", created.Secret);
        Assert.Equal(HttpStatusCode.Forbidden, (await http.GetAsync(new Uri("/anything", UriKind.Relative))).StatusCode); // it is for one database
        http.DefaultRequestHeaders.Authorization = new("Bearer", (await cluster.Client(0).Admin.CreateTokenAsync(new() { Name = "metrics", Right = Right.Read })).Secret);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri("/anything", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task A_node_without_TLS_does_not_listen_beyond_loopback_unless_it_is_told_to()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => ClusterFixture.StartAsync(options => options with { Configure = node => node with { Address = IPAddress.Any } }));
        Assert.Contains("0.0.0.0 is not loopback", refused.Message, StringComparison.Ordinal);
        Assert.Contains("allow_plaintext_beyond_loopback", refused.Message, StringComparison.Ordinal);
    }

    private static Metadata Headers((string Name, string Value)[] headers)
    {
        var metadata = new Metadata();
        foreach (var (name, value) in headers)
        {
            metadata.Add(name, value);
        }

        return metadata;
    }

    internal static async Task RefusedAsync(Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((StatusCode.PermissionDenied, ErrorCodes.TokenLacksRight), (refused.StatusCode, refused.FindDetail<SqlError>()?.Code));
    }
}
