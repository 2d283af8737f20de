using System.Net.Mime;
using System.Text.Json;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>What the REST API takes that D1's own clients send seldom, or not at all.</summary>
public sealed class EndpointTests
{
    [Fact]
    public async Task Requests_of_every_form_that_D1_takes_are_answered()
    {
        await using var cluster = await D1Cluster.StartAsync();
        var created = await cluster.PostAsync("", new { name = "shop", primary_location_hint = "weur", jurisdiction = "eu", read_replication = new { mode = "auto" } });
        Assert.Equal(200, created.Status);
        var id = created.Envelope.GetProperty("result").GetProperty("uuid").GetString()!;

        // By id or by name, and of its fields some: in one list, or one after the other.
        foreach (var path in new[] { $"/{id}?fields=uuid,name", "/shop?fields=uuid&fields=name" })
        {
            var (status, found, _) = await D1Cluster.ReadAsync(await cluster.Http.GetAsync(cluster.Database(path)));
            Assert.Equal(200, status);
            Assert.Equal([("uuid", id), ("name", "shop")], found.GetProperty("result").EnumerateObject().Select(field => (field.Name, field.Value.GetString()!)));
        }

        // Behind the last page there is an empty one.
        Assert.Equal(1, await CountAsync("?per_page=10&page=1"));
        Assert.Equal(0, await CountAsync("?per_page=10&page=2"));
        Assert.Equal(0, await CountAsync("?name=nobody"));

        // A body that is labelled as JSON, and is none at all.
        using var nothing = new ByteArrayContent([]) { Headers = { ContentType = new(MediaTypeNames.Application.Json) } };
        var bookmark = (await D1Cluster.ReadAsync(await cluster.Http.GetAsync(cluster.Database("/shop/time_travel/bookmark")))).Envelope.GetProperty("result").GetProperty("bookmark").GetString();
        Assert.Equal(200, (await D1Cluster.ReadAsync(await cluster.Http.PostAsync(cluster.Database($"/shop/time_travel/restore?bookmark={bookmark}"), nothing))).Status);

        // With a key a request runs once.
        Assert.Equal(200, (await cluster.PostAsync("/shop/query", new { sql = "CREATE TABLE t (id INTEGER PRIMARY KEY)" })).Status);
        for (var i = 0; i < 2; i++)
        {
            var (_, answer, _) = await cluster.PostAsync("/shop/query", new { sql = "INSERT INTO t DEFAULT VALUES RETURNING id" }, 0, ("Idempotency-Key", "one"));
            Assert.Equal(1, answer.GetProperty("result")[0].GetProperty("results")[0].GetProperty("id").GetInt32());
        }

        Assert.Equal("[{\"n\":1}]", await RowsAsync("SELECT count(*) AS n FROM t"));

        // What describes the API comes from here alone.
        using var described = JsonDocument.Parse(await cluster.Http.GetStringAsync(new Uri(cluster.Port(), "/openapi.json")));
        Assert.Contains(described.RootElement.GetProperty("paths").EnumerateObject(), path => path.Name.EndsWith("/query", StringComparison.Ordinal));
        var page = await cluster.Http.GetStringAsync(new Uri(cluster.Port(), "/openapi"));
        Assert.DoesNotContain("src=\"http", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("stylesheet\" href=\"http", page, StringComparison.OrdinalIgnoreCase);

        async Task<int> CountAsync(string query) => (await D1Cluster.ReadAsync(await cluster.Http.GetAsync(cluster.Database(query)))).Envelope.GetProperty("result").GetArrayLength();

        async Task<string> RowsAsync(string sql) => (await cluster.PostAsync("/shop/query", new { sql })).Envelope.GetProperty("result")[0].GetProperty("results").GetRawText();
    }

    [Fact]
    public async Task A_table_that_a_request_makes_anew_with_foreign_keys_off_keeps_its_children_and_what_refers_to_nothing_is_refused()
    {
        const string Rebuild = "CREATE TABLE new_owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL); INSERT INTO new_owner SELECT id, name FROM owner; DROP TABLE owner; ALTER TABLE new_owner RENAME TO owner;";
        await using var cluster = await D1Cluster.StartAsync();
        Assert.Equal(200, (await cluster.PostAsync("", new { name = "shop" })).Status);
        await QueryAsync("CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE pet (id INTEGER PRIMARY KEY, owner REFERENCES owner ON DELETE CASCADE);"
            + "INSERT INTO owner VALUES (1, 'Ann'), (2, 'Ben'); INSERT INTO pet VALUES (1, 1), (2, 2), (3, 2)");
        foreach (var (before, after) in new[] { ("PRAGMA foreign_keys=OFF;", "PRAGMA foreign_keys=ON;"), ("PRAGMA defer_foreign_keys=on; PRAGMA foreign_keys = 0;", "") })
        {
            await QueryAsync($"{before} {Rebuild} {after}");
            Assert.Equal("3", await QueryAsync("SELECT count(*) FROM pet"));
        }

        var (status, refused, _) = await cluster.PostAsync("/shop/query", new { sql = "PRAGMA foreign_keys=OFF; DELETE FROM owner WHERE id = 2" });
        Assert.Equal((400, "SQLITE_CONSTRAINT_FOREIGNKEY"), (status, refused.GetProperty("errors")[0].GetProperty("detail").GetProperty("code").GetString()));
        Assert.Equal("2", await QueryAsync("SELECT count(*) FROM owner"));
        await QueryAsync("DELETE FROM owner WHERE id = 2"); // on again, with what it does to children
        Assert.Equal("1", await QueryAsync("SELECT count(*) FROM pet"));

        async Task<string?> QueryAsync(string sql)
        {
            var (status, envelope, _) = await cluster.PostAsync("/shop/raw", new { sql });
            Assert.True(status == 200, envelope.GetRawText());
            var rows = envelope.GetProperty("result")[0].GetProperty("results").GetProperty("rows");
            return rows.GetArrayLength() == 0 ? null : rows[0][0].GetRawText();
        }
    }
}
