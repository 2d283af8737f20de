using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.Cluster.Tests;

public sealed class EtcdSecurityTests : EtcdTest
{
    [Fact]
    public async Task With_a_user_everything_works_also_after_etcd_has_forgotten_the_token()
    {
        await using var server = await EtcdServer.StartAsync();
        await EnableUsersAsync(server);
        var options = Options("node", server.Endpoint) with { User = "node", Password = "secret" };
        var node = await ConnectAsync(options);
        await using var registration = await node.RegisterAsync(Node("n"));
        await node.CreateAsync(Database(1, "app"));
        await server.KillAsync();
        await server.StartAsync(); // tokens are gone
        await UntilAsync(() => node.Trouble is null && node.Nodes.Count == 1, "it is back");
        await node.CreateAsync(Database(2, "other"));
        var watching = await ConnectAsync(options with { MemoryPath = FileOf("watching.sqlite") });
        await node.CreateAsync(Database(3, "third"));
        await UntilAsync(() => watching.Find("third") is not null, "watches are allowed");
        Assert.Equal(0, Log.Count(4303));
    }

    [Fact]
    public async Task A_wrong_password_and_a_missing_right_are_said_clearly()
    {
        await using var server = await EtcdServer.StartAsync();
        await EnableUsersAsync(server);
        var options = Options("node", server.Endpoint);
        var wrong = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => ConnectAsync(options with { User = "node", Password = "guessed" }));
        Assert.Contains("authentication failed", wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("guessed", wrong.Message, StringComparison.Ordinal);
        var elsewhere = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => ConnectAsync(options with { User = "node", Password = "secret", Prefix = "/other/" }));
        Assert.Contains("permission denied", elsewhere.Message, StringComparison.Ordinal);
        var nobody = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => ConnectAsync(options));
        Assert.Contains("user name is empty", nobody.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_tls_both_sides_show_certificates_of_the_same_authority()
    {
        var authority = MakeAuthority("authority");
        Write("server", Issue(authority, "etcd"));
        Write("client", Issue(authority, "node"));
        await using var server = await EtcdServer.StartAsync(
            "https", "--cert-file", FileOf("server.pem"), "--key-file", FileOf("server.key"), "--client-cert-auth", "--trusted-ca-file", FileOf("authority.pem"));
        var options = Options("node", server.Endpoint) with { CaFile = FileOf("authority.pem"), CertificateFile = FileOf("client.pem"), KeyFile = FileOf("client.key") };
        var node = await ConnectAsync(options);
        await using var registration = await node.RegisterAsync(Node("n"));
        await node.CreateAsync(Database(1, "app"));
        var watching = await ConnectAsync(options with { MemoryPath = FileOf("watching.sqlite") });
        await node.CreateAsync(Database(2, "other"));
        await UntilAsync(() => watching.Find("other") is not null && watching.Nodes.Count == 1, "the watch works");

        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => ConnectAsync(options with { MemoryPath = FileOf("a.sqlite"), CertificateFile = null, KeyFile = null }));
        var stranger = MakeAuthority("stranger");
        stranger.Dispose();
        var refused = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => ConnectAsync(options with { MemoryPath = FileOf("b.sqlite"), CaFile = FileOf("stranger.pem") }));
        Assert.Contains("certificate", refused.Message, StringComparison.Ordinal);
        authority.Dispose();
    }

    [Fact]
    public void Options_that_cannot_work_are_all_said_at_once()
    {
        var faults = new EtcdOptions
        {
            Endpoints = [new Uri("ftp://host"), new Uri("http://host/v3")], MemoryPath = "x", Prefix = "keys", User = "me", CertificateFile = "/not/there", Lease = TimeSpan.FromSeconds(1),
        }.Faults();
        Assert.Equal(7, faults.Count);
        Assert.Single(new EtcdOptions { Endpoints = [], MemoryPath = "x" }.Faults());
        Assert.Empty(new EtcdOptions { Endpoints = [new Uri("http://127.0.0.1:2379")], MemoryPath = "x" }.Faults());
    }

    private static async Task EnableUsersAsync(EtcdServer server)
    {
        await server.ControlAsync("user", "add", "root:root");
        await server.ControlAsync("user", "grant-role", "root", "root");
        await server.ControlAsync("role", "add", "nodes");
        await server.ControlAsync("role", "grant-permission", "nodes", "readwrite", "/replicatedsqlite/", "/replicatedsqlite0");
        await server.ControlAsync("user", "add", "node:secret");
        await server.ControlAsync("user", "grant-role", "node", "nodes");
        await server.ControlAsync("auth", "enable");
    }

    private X509Certificate2 MakeAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var authority = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        File.WriteAllText(FileOf($"{name}.pem"), authority.ExportCertificatePem());
        return authority;
    }

    // For both sides: etcd's gateway shows the server's certificate to etcd itself.
    private static (string Certificate, string Key) Issue(X509Certificate2 authority, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"O={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using var certificate = request.Create(authority, TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddHours(1), BitConverter.GetBytes(name.GetHashCode(StringComparison.Ordinal)));
        return (certificate.ExportCertificatePem(), key.ExportECPrivateKeyPem());
    }

    private void Write(string name, (string Certificate, string Key) issued)
    {
        File.WriteAllText(FileOf($"{name}.pem"), issued.Certificate);
        File.WriteAllText(FileOf($"{name}.key"), issued.Key);
    }
}
