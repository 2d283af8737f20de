using System.Net.Http.Json;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>Tokens over HTTP, as Cloudflare's clients send them.</summary>
public sealed class TokenTests
{
    [Fact]
    public async Task A_token_may_do_what_it_is_for_and_sees_nothing_else()
    {
        await using var cluster = await D1Cluster.StartAsync(node => node with { Router = node.Router with { RequireTokens = false } });
        foreach (var name in new[] { "mine", "other" }) Assert.Equal(200, (await cluster.PostAsync("", new { name })).Status);
        var (reads, writes) = (await cluster.CreateTokenAsync(Right.Read, "mine"), await cluster.CreateTokenAsync(Right.Write, "mine"));
        Assert.Equal(200, (await PostAsync(writes, "/mine/query", "CREATE TABLE t (x)")).Status);
        Assert.Equal(200, (await PostAsync(reads, "/mine/query", "SELECT * FROM t")).Status);
        Assert.Equal((403, 7403), await PostAsync(reads, "/mine/query", "INSERT INTO t VALUES (1)"));
        Assert.Equal((404, 7404), await PostAsync(writes, "/other/query", "SELECT 1"));
        Assert.Equal((401, 10000), await PostAsync("rs_nothing", "/mine/query", "SELECT 1"));
        Assert.Equal((401, 10000), await PostAsync(writes[..^1] + (writes[^1] == '0' ? '1' : '0'), "/mine/query", "SELECT 1"));

        // The older way, with a key and an address.
        Assert.Equal(200, (await cluster.PostAsync("/mine/query", new { sql = "SELECT 1" }, 1, ("X-Auth-Key", reads), ("X-Auth-Email", "me@example.com"))).Status);
        Assert.Equal(401, (await cluster.PostAsync("/mine/query", new { sql = "SELECT 1" }, 1, ("X-Auth-Key", "wrong"), ("X-Auth-Email", "me@example.com"))).Status);

        // The figures of a database are for those who may see it.
        foreach (var (token, id) in new[] { (reads, "other"), (writes, "other") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{cluster.Base()}/graphql") { Content = JsonContent.Create(new { variables = new { filter = new { databaseId = id } } }) };
            request.Headers.Authorization = new("Bearer", token);
            Assert.Equal(404, (int)(await cluster.Http.SendAsync(request)).StatusCode);
        }

        async Task<(int Status, int Code)> PostAsync(string token, string path, string sql)
        {
            var (status, envelope, _) = await cluster.PostAsync(path, new { sql }, 2, ("Authorization", $"Bearer {token}"));
            return (status, status == 200 ? 0 : envelope.GetProperty("errors")[0].GetProperty("code").GetInt32());
        }
    }

    [Fact]
    public async Task Figures_show_no_values()
    {
        await using var cluster = await D1Cluster.StartAsync();
        Assert.Equal(200, (await cluster.PostAsync("", new { name = "shop" })).Status);
        var (_, envelope, _) = await cluster.PostAsync("/shop/query", new { sql = "SELECT 'secret' AS x, 4711; SELECT ?", @params = new[] { "secret" } });
        Assert.True(envelope.GetProperty("success").GetBoolean(), envelope.ToString());
        using var listed = await cluster.Http.GetAsync(cluster.Database("/shop"));
        var id = (await listed.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>()).GetProperty("result").GetProperty("uuid").GetString();
        using var answer = await cluster.Http.PostAsJsonAsync($"{cluster.Base()}/graphql", new { variables = new { filter = new { databaseId = id } } });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Contains("SELECT?AS x,?", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("4711", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_token_where_one_is_required_nothing_is_told()
    {
        await using var cluster = await D1Cluster.StartAsync(node => node with { Router = node.Router with { RequireTokens = true } });
        Assert.Equal(401, (await cluster.PostAsync("/shop/query", new { sql = "SELECT 1" })).Status);
        Assert.Equal(401, (await D1Cluster.ReadAsync(await cluster.Http.GetAsync(cluster.Database()))).Status);
        foreach (var path in new[] { "/", "/openapi.json", "/metrics" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(cluster.Port(), path)) { Content = new ByteArrayContent([]) };
            request.Content.Headers.ContentType = new("application/grpc"); // which it is not
            Assert.Equal(401, (int)(await cluster.Http.SendAsync(request)).StatusCode);
        }
    }
}
