using System.Globalization;
using System.Net;
using System.Net.Security;
using Microsoft.Extensions.Logging;
using ReplicatedSqlite.Cluster;
using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Internal.V1;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Encrypted ports, nodes that know each other by certificates, and certificates that are replaced while everything runs.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task A_cluster_with_TLS_works_as_one_without()
    {
        using var certificates = new CertificateFolder();
        await using var cluster = await StartAsync(certificates);
        await cluster.Client(0).Admin.CreateDatabaseAsync("a");
        await cluster.Database(0, "a").ExecuteAsync("CREATE TABLE t (x)");
        for (var region = 0; region < ClusterFixture.RegionCount; region++)
        {
            await cluster.Database(region, "a").ExecuteAsync("INSERT INTO t VALUES (1)");
        }

        await cluster.SettleAsync("a"); // by each region's own replica
        Assert.Equal(3, (await cluster.Client(2).Admin.GetTopologyAsync("a")).Copies.Count);
        await cluster.Client(1).Admin.MovePrimaryAsync(new() { Database = "a", Region = "apac" });
        await cluster.StopNodeAsync(ClusterFixture.Apac); // its followers take over
        await Eventually.TrueAsync(async () => await TryAsync(cluster, ClusterFixture.Enam, "INSERT INTO t VALUES (2)"), "another node leads");
        Assert.Equal(4L, await cluster.Database(1, "a").QueryScalarAsync<long>("SELECT count(*) FROM t"));
        Assert.All(((int[])[0, 1]).Select(cluster.Node), node => Assert.Equal(("https", "https"), (node.GrpcAddress.Scheme, node.HttpAddress.Scheme)));
    }

    [Fact]
    public async Task The_protocol_is_chosen_by_ALPN_and_plaintext_gets_no_answer()
    {
        using var certificates = new CertificateFolder();
        await using var cluster = await StartAsync(certificates);
        var (grpc, http) = (cluster.Node(0).GrpcAddress, cluster.Node(0).HttpAddress);
        Assert.Equal("h2", (await certificates.LookAsync(grpc, SslApplicationProtocol.Http11, SslApplicationProtocol.Http2)).Protocol);
        Assert.Equal("h2", (await certificates.LookAsync(http, SslApplicationProtocol.Http11, SslApplicationProtocol.Http2)).Protocol);
        Assert.Equal("http/1.1", (await certificates.LookAsync(http, SslApplicationProtocol.Http11)).Protocol);
        await Assert.ThrowsAnyAsync<Exception>(() => certificates.LookAsync(grpc, SslApplicationProtocol.Http11));
        await using var plain = new ReplicatedSqliteClient($"http://{grpc.Authority}");
        await Assert.ThrowsAsync<UnavailableException>(() => plain.Admin.GetServerInfoAsync());

        // Who does not trust the authority sends nothing.
        await using var distrusting = new ReplicatedSqliteClient(grpc.ToString(), null);
        var untrusted = await Assert.ThrowsAsync<UnavailableException>(() => distrusting.Admin.CreateDatabaseAsync("a"));
        Assert.Contains("Nothing was sent", untrusted.Message, StringComparison.Ordinal);
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate!.Issuer == "CN=nodes" };
        using var client = new HttpClient(handler);
        Assert.Equal("ready\n", await client.GetStringAsync(new Uri(http, "/health/ready")));
    }

    [Fact]
    public async Task A_peer_without_a_certificate_of_the_node_authority_is_no_node()
    {
        using var certificates = new CertificateFolder();
        using var other = new TestAuthority("nodes"); // of the same name
        await using var cluster = await StartAsync(certificates);
        var address = cluster.Node(1).GrpcAddress;
        (string, string)?[] strangers = [null, other.Sign("node"), certificates.Authority.Sign("node", age: TimeSpan.FromDays(3), life: TimeSpan.FromDays(2))]; // none, another's, an expired one
        var request = new GetCopyRequest { DatabaseId = Guid.NewGuid().ToString() };
        foreach (var stranger in strangers)
        {
            await using var channel = certificates.Channel(address, stranger);
            await PeerTests.RefusedAsync(() => channel.CallAsync(ReplicationMethods.GetCopy, request));
            await PeerTests.RefusedAsync(() => channel.CallAsync(ReplicationMethods.GetCopy, request, new CallOptions { Headers = new Metadata { { NodeKey.Header, NodeKey.Create() } } }));
            await PeerTests.RefusedAsync(() => channel.CallAsync(
                QueryMethods.Execute,
                TokenCluster.Sql("a", "SELECT 1"),
                new CallOptions { Headers = new Metadata { { Forwarding.Header, "n" }, { Forwarding.CallerHeader, "admin - *" } } }));
        }

        await using var node = certificates.Channel(address, certificates.Authority.Sign("another node"));
        Assert.False((await node.CallAsync(ReplicationMethods.GetCopy, request)).Active);

        // A node is a client as well, and as such stands for nobody.
        await node.CallAsync(AdminMethods.GetServerInfo, new GetServerInfoRequest());
    }

    [Fact]
    public async Task Nothing_is_fetched_from_where_a_strangers_certificate_points_to()
    {
        using var certificates = new CertificateFolder();
        using var other = new TestAuthority("elsewhere");
        await using var cluster = await StartAsync(certificates);
        using var elsewhere = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        elsewhere.Start();
        await using var channel = certificates.Channel(cluster.Node(0).GrpcAddress, other.Sign("node", issuerAt: $"http://{elsewhere.LocalEndpoint}/ca.crt"));
        await PeerTests.RefusedAsync(() => channel.CallAsync(ReplicationMethods.GetCopy, new GetCopyRequest { DatabaseId = Guid.NewGuid().ToString() }));
        Assert.False(elsewhere.Pending());
    }

    [Fact]
    public async Task Certificates_are_replaced_under_load_without_a_failed_call()
    {
        using var certificates = new CertificateFolder();
        await using var cluster = await StartAsync(certificates);
        await cluster.Client(0).Admin.CreateDatabaseAsync("a");
        await cluster.Database(0, "a").ExecuteAsync("CREATE TABLE t (x)");
        using var ending = new CancellationTokenSource();
        var writers = ((int[])[ClusterFixture.Enam, ClusterFixture.Weur]).Select(region => WriteAsync(cluster, region, ending.Token)).ToList();
        for (var round = 0; round < 3; round++)
        {
            var serial = certificates.Renew();
            foreach (var node in Enumerable.Range(0, 3).Select(cluster.Node))
            {
                await Eventually.TrueAsync(async () => (await certificates.LookAsync(node.GrpcAddress, SslApplicationProtocol.Http2)).Serial == serial, "the gRPC port shows the new certificate");
                await Eventually.TrueAsync(async () => (await certificates.LookAsync(node.HttpAddress, SslApplicationProtocol.Http11)).Serial == serial, "the HTTP port shows the new certificate");
            }

            // New connections among the nodes show the new certificate and trust it.
            await cluster.StopNodeAsync(ClusterFixture.Apac);
            await cluster.StartNodeAsync(ClusterFixture.Apac);
            await Eventually.TrueAsync(async () => await TryAsync(cluster, ClusterFixture.Apac, "SELECT 1"), "the node that was started again answers");
        }

        await ending.CancelAsync();
        var written = await Task.WhenAll(writers);
        Assert.True(written[0] > 0 && written[1] > 0);
        Assert.Equal(written.Sum(), await cluster.Database(0, "a").QueryScalarAsync<long>("SELECT count(*) FROM t"));
        Assert.Contains(cluster.Log.Lines, line => line.Contains("The certificates have changed", StringComparison.Ordinal));
        Assert.DoesNotContain(cluster.Log.Lines, line => line.Contains("cannot be used; those before", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Broken_new_certificates_are_told_and_the_old_ones_go_on()
    {
        using var certificates = new CertificateFolder();
        await using var cluster = await StartAsync(certificates);
        var address = cluster.Node(0).GrpcAddress;
        var good = (await certificates.LookAsync(address, SslApplicationProtocol.Http2)).Serial;
        using var strangers = new TestAuthority("strangers");
        var (foreign, foreignKey) = strangers.Sign("node");
        var expired = certificates.Authority.Sign("node", age: TimeSpan.FromDays(3), life: TimeSpan.FromDays(2));
        (string Certificate, string Key, string Told)[] broken =
        [
            ("no certificate", foreignKey, "are no certificate and the private key"),
            (foreign, certificates.Authority.Sign("node").Key, "are no certificate and the private key"),
            (expired.Certificate, expired.Key, "is valid from"),
            (foreign, "", "are no certificate and the private key"),
        ];
        foreach (var (certificate, key, told) in broken)
        {
            cluster.Log.Clear();
            await File.WriteAllTextAsync(certificates.CertificateFile, certificate);
            await File.WriteAllTextAsync(certificates.KeyFile, key);
            await Eventually.TrueAsync(() => cluster.Log.Errors.Count(line => line.Contains(told, StringComparison.Ordinal)) >= 3, $"each node tells that the new certificate {told}");
            Assert.Equal(good, (await certificates.LookAsync(address, SslApplicationProtocol.Http2)).Serial);
        }

        cluster.Log.Clear();
        File.Delete(certificates.KeyFile);
        await Eventually.TrueAsync(() => cluster.Log.Errors.Any(line => line.Contains("cannot be read", StringComparison.Ordinal)), "a missing file is told");
        var renewed = certificates.Renew();
        await Eventually.TrueAsync(async () => (await certificates.LookAsync(address, SslApplicationProtocol.Http2)).Serial == renewed, "a good one is used again");
        Assert.DoesNotContain(cluster.Log.Lines, line => line.Contains("PRIVATE KEY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_new_authority_takes_the_place_of_the_old_one_in_three_steps()
    {
        using var certificates = new CertificateFolder();
        using var next = new TestAuthority("next");
        await using var cluster = await StartAsync(certificates);
        var (node, request) = (cluster.Node(0).GrpcAddress, new GetCopyRequest { DatabaseId = Guid.NewGuid().ToString() });
        await using (var early = certificates.Channel(node, next.Sign("node")))
        {
            await PeerTests.RefusedAsync(() => early.CallAsync(ReplicationMethods.GetCopy, request));
        }

        await File.WriteAllTextAsync(certificates.AuthorityFile, certificates.Authority.Pem.TrimEnd() + next.Pem);
        await Eventually.TrueAsync(() => cluster.Log.Errors.Any(line => line.Contains("begins 2 certificates, and", StringComparison.Ordinal)), "two that are not apart are told");
        await File.WriteAllTextAsync(certificates.AuthorityFile, certificates.Authority.Pem + next.Pem); // both
        await Eventually.TrueAsync(() => IsNodeAsync(certificates, node, next, request), "the next authority's certificates are taken");
        Assert.True(await IsNodeAsync(certificates, node, certificates.Authority, request));
        await File.WriteAllTextAsync(certificates.AuthorityFile, next.Pem); // and, once every node has a certificate of the next one, that one alone
        await Eventually.TrueAsync(async () => !await IsNodeAsync(certificates, node, certificates.Authority, request), "the old authority's certificates are not taken any more");
    }

    [Fact]
    public async Task What_cannot_work_is_said_at_the_start()
    {
        using var certificates = new CertificateFolder();
        using var other = new TestAuthority("other");
        var good = certificates.Options;
        var missing = good with { KeyFile = certificates.KeyFile + ".missing" };
        await FailsAsync(missing, ".missing' cannot be read");
        await FailsAsync(good with { NodeCertificateFile = certificates.CertificateFile }, "Name both, or neither");
        await FailsAsync(good with { NodeAuthorityFile = certificates.KeyFile }, "begins 0 certificates");
        await File.WriteAllTextAsync(certificates.KeyFile, other.Sign("node").Key);
        await FailsAsync(good, "are no certificate and the private key that belongs to it");
        var old = certificates.Authority.Sign("node", age: TimeSpan.FromDays(3), life: TimeSpan.FromDays(2));
        await File.WriteAllTextAsync(certificates.CertificateFile, old.Certificate);
        await File.WriteAllTextAsync(certificates.KeyFile, old.Key);
        await FailsAsync(good, "Put one there that is valid");
    }

    [Fact]
    public async Task A_certificate_that_ends_soon_is_told_once_a_day()
    {
        using var certificates = new CertificateFolder();
        var (certificate, key) = certificates.Authority.Sign("node", life: TimeSpan.FromDays(3));
        await File.WriteAllTextAsync(certificates.CertificateFile, certificate);
        await File.WriteAllTextAsync(certificates.KeyFile, key);
        await using var cluster = await StartAsync(certificates);
        Assert.Equal(3, cluster.Log.Lines.Count(line => line.Contains("Put a new one there; no restart is needed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Beyond_loopback_TLS_and_a_token_are_enough()
    {
        Assert.SkipUnless(PeerTests.OwnAddress is not null, PeerTests.NoAddress);
        using var certificates = new CertificateFolder(PeerTests.OwnAddress);
        await using var cluster = await StartAsync(certificates, node => node.Region == "weur" ? node with { Address = PeerTests.OwnAddress! } : node);
        var created = await cluster.Client(0).Admin.CreateTokenAsync(new() { Name = "elsewhere", Right = Right.Admin });
        var elsewhere = cluster.Node(ClusterFixture.Weur).GrpcAddress.ToString();
        await using var nobody = new ReplicatedSqliteClient(elsewhere, certificates.Client);
        Assert.Equal(ErrorCodes.TokenMissing, (await Assert.ThrowsAsync<ReplicatedSqliteException>(() => nobody.Admin.GetServerInfoAsync())).Code);
        await using var client = new ReplicatedSqliteClient(elsewhere, certificates.Client with { Token = created.Secret });
        Assert.Equal("weur", (await client.Admin.GetServerInfoAsync()).Region);
    }

    private static Task<ClusterFixture> StartAsync(CertificateFolder certificates, Func<Node.NodeOptions, Node.NodeOptions>? configure = null) => ClusterFixture.StartAsync(
        options => options with { Configure = node => (configure ?? (static node => node))(node with { Tls = certificates.Options }) },
        access: new() { Client = certificates.Client, Open = address => certificates.Channel(address), LogFrom = LogLevel.Information });

    private static async Task FailsAsync(Node.TlsOptions options, string text)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => ClusterFixture.StartAsync(cluster => cluster with { Configure = node => node with { Tls = options } }));
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
    }

    private static async Task<bool> IsNodeAsync(CertificateFolder certificates, Uri address, TestAuthority authority, GetCopyRequest request)
    {
        await using var channel = certificates.Channel(address, authority.Sign("node"));
        try
        {
            await channel.CallAsync(ReplicationMethods.GetCopy, request);
            return true;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.PermissionDenied)
        {
            return false;
        }
    }

    private static async Task<bool> TryAsync(ClusterFixture cluster, int region, string sql)
    {
        try
        {
            await cluster.Database(region, "a").ExecuteAsync(sql);
            return true;
        }
        catch (ReplicatedSqliteException e) when (e.IsTransient)
        {
            return false;
        }
    }

    private static async Task<long> WriteAsync(ClusterFixture cluster, int region, CancellationToken ending)
    {
        var written = 0L;
        for (var i = 0; !ending.IsCancellationRequested; i++)
        {
            await cluster.Database(region, "a").ExecuteAsync("INSERT INTO t VALUES (?)", [i.ToString(CultureInfo.InvariantCulture)], new() { IdempotencyKey = $"{region}-{i}" }, CancellationToken.None);
            written++;
        }

        return written;
    }
}
