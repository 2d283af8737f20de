using System.Reflection;
using ReplicatedSqlite.Testing;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>The commands of docs/security.md, as they stand there.</summary>
public sealed class DocumentedSetUpTests
{
    private static readonly string _docs = Path.Combine(
        typeof(DocumentedSetUpTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "ProtoFolder").Value!, "..", "docs");

    [Fact]
    public async Task Certificates_and_tokens_made_as_documented_work()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/openssl"), "There is no openssl.");
        using var folder = new TemporaryFolder();
        var commands = Blocks(await File.ReadAllTextAsync(Path.Combine(_docs, "security.md")))[0];
        var (code, _, errors) = await RsqlProcess.RunAsync("bash", ["-ec", $"cd '{folder.Path}'\n{commands}"]);
        Assert.True(code == 0, errors);

        string PathOf(string name) => Path.Combine(folder.Path, name);
        var tls = new Node.TlsOptions { CertificateFile = PathOf("node.crt"), KeyFile = PathOf("node.key"), NodeAuthorityFile = PathOf("ca.crt") };
        await using var cluster = await ClusterFixture.StartAsync(
            options => options with { Configure = node => node with { Tls = tls } }, access: new() { Client = new() { AuthorityFile = PathOf("ca.crt") } });
        await cluster.Client(0).Admin.CreateDatabaseAsync("shop");
        await cluster.Database(1, "shop").ExecuteAsync("CREATE TABLE t (x)"); // from one node to another

        string[] server = ["--server", cluster.Node(2).GrpcAddress.ToString(), "--ca", PathOf("ca.crt")];
        var created = await RsqlProcess.RunAsync([.. server, "token", "create", "shop-web", "--right", "read", "--database", "shop", "--expires", "90d"]);
        Assert.True(created.Code == 0, created.Errors);
        var token = created.Output.Trim();
        Assert.Matches("^rs_[0-9a-f]{16}_[0-9a-f]{64}$", token);
        var read = await RsqlProcess.RunAsync([.. server, "--token", token, "--mode", "csv", "shop", "SELECT count(*) AS n FROM t"]);
        Assert.Equal((0, "n\r\n0\r\n"), (read.Code, read.Output));
        var write = await RsqlProcess.RunAsync([.. server, "--token", token, "shop", "INSERT INTO t VALUES (1)"]);
        Assert.Equal(1, write.Code);
        Assert.Contains("[TOKEN_LACKS_RIGHT]", write.Errors, StringComparison.Ordinal);
        var list = await RsqlProcess.RunAsync([.. server, "token", "list", "--mode", "csv"]);
        Assert.Contains($"{token[3..19]},shop-web,read,shop,", list.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(token[20..], list.Output, StringComparison.Ordinal);
        var revoked = await RsqlProcess.RunAsync([.. server, "token", "revoke", token]);
        Assert.Equal((0, "revoked\n"), (revoked.Code, revoked.Output));
        var late = await RsqlProcess.RunAsync([.. server, "--token", token, "shop", "SELECT 1"]);
        Assert.Contains("[TOKEN_INVALID]", late.Errors, StringComparison.Ordinal);
        var distrusting = await RsqlProcess.RunAsync("--server", cluster.Node(2).GrpcAddress.ToString(), "list");
        Assert.Equal(3, distrusting.Code);
    }

    private static List<string> Blocks(string document)
    {
        var blocks = new List<string>();
        var parts = document.Split("```");
        for (var i = 1; i < parts.Length; i += 2)
        {
            if (parts[i].StartsWith("sh\n", StringComparison.Ordinal))
            {
                blocks.Add(parts[i][3..]);
            }
        }

        return blocks;
    }
}
