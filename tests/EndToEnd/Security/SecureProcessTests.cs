using System.Text.Json.Nodes;
using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.EndToEnd;

/// <summary>Nodes as processes of their own, with certificates, coordinated by etcd.</summary>
public sealed class SecureProcessTests
{
    [Fact]
    public async Task Nodes_with_certificates_are_a_cluster_and_each_knows_within_a_second_that_a_token_was_revoked()
    {
        ProcessCluster.SkipIfMissing();
        using var certificates = new CertificateFolder();
        await using var cluster = await ProcessCluster.StartAsync(
            3,
            (_, settings) => settings["tls"] = new JsonObject
            {
                ["certificate"] = certificates.CertificateFile, ["key"] = certificates.KeyFile, ["node_authority"] = certificates.AuthorityFile,
            },
            certificates.Client);
        var admin = cluster.Nodes[0].Client.Admin;
        await admin.CreateDatabaseAsync("a");
        await cluster.Database(1, "a").ExecuteAsync("CREATE TABLE t (x)"); // passed on from one process to another
        var created = new List<CreateTokenResponse>();
        var fastest = TimeSpan.MaxValue; // of several, since other tests run beside this one
        for (var i = 0; i < 3; i++)
        {
            created.Add(await admin.CreateTokenAsync(new() { Name = "test", Right = Right.Write, Databases = { "a" } }));
            await using var client = new ReplicatedSqliteClient(cluster.Nodes[2].GrpcAddress.ToString(), certificates.Client with { Token = created[i].Secret });
            await client.Database("a").ExecuteAsync("INSERT INTO t VALUES (1)"); // at once, at another node, and through it at the primary
            Assert.Equal(ErrorCodes.TokenLacksRight, (await Assert.ThrowsAsync<ReplicatedSqliteException>(() => client.Admin.ListTokensAsync())).Code);
            await cluster.Nodes[1].Client.Admin.RevokeTokenAsync(created[i].Token.Id);
            var revoked = TimeProvider.System.GetTimestamp();
            await Eventually.TrueAsync(() => IsInvalidAsync(client), "the revocation is known");
            fastest = TimeSpan.FromTicks(Math.Min(fastest.Ticks, TimeProvider.System.GetElapsedTime(revoked).Ticks));
        }

        Assert.True(fastest < TimeSpan.FromSeconds(1), $"It took {fastest}.");
        Assert.Equal(3L, await cluster.Database(0, "a").QueryScalarAsync<long>("SELECT count(*) FROM t"));
        var log = cluster.ToString();
        Assert.Contains("token " + created[0].Token.Id, log, StringComparison.Ordinal);
        Assert.All(created, token => Assert.DoesNotContain(token.Secret[20..40], log, StringComparison.Ordinal));
        Assert.DoesNotContain("PRIVATE KEY", log, StringComparison.Ordinal);
    }

    private static async Task<bool> IsInvalidAsync(ReplicatedSqliteClient client)
    {
        try
        {
            await client.Database("a").ExecuteAsync("SELECT 1");
            return false;
        }
        catch (ReplicatedSqliteException e) when (e.Code == ErrorCodes.TokenInvalid)
        {
            return true;
        }
    }
}
