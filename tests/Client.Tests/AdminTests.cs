using ReplicatedSqlite.Protocol;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.Client.Tests;

public sealed class AdminTests
{
    [Fact]
    public async Task Databases_are_created_found_listed_and_deleted()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        foreach (var name in new[] { "shop", "books", "shipping" }) await client.Admin.CreateDatabaseAsync(name, "apac");
        Assert.Equal("apac", (await client.Admin.GetDatabaseAsync("books")).PrimaryRegion);
        var names = new List<string>();
        await foreach (var database in client.Admin.ListDatabasesAsync("sh")) names.Add(database.Name);
        Assert.Equal(["shipping", "shop"], names); // two pages
        await client.Admin.DeleteDatabaseAsync("shop");
        var e = await Assert.ThrowsAsync<ReplicatedSqliteException>(() => client.Admin.GetDatabaseAsync("shop"));
        Assert.Equal(ErrorCodes.DatabaseNotFound, e.Code);
        Assert.Equal(ErrorCodes.DatabaseExists, (await Assert.ThrowsAsync<ReplicatedSqliteException>(() => client.Admin.CreateDatabaseAsync("books"))).Code);
    }

    [Fact]
    public async Task The_cluster_tells_about_itself()
    {
        await using var server = await FakeServer.StartAsync();
        await using var client = server.Connect();
        Assert.Equal(Answer.Bookmark(9), await client.Admin.GetBookmarkAsync("shop"));
        Assert.Equal("weur", (await client.Admin.GetServerInfoAsync()).Region);
        Assert.Empty((await client.Admin.GetTopologyAsync()).Copies);
        Assert.Equal([Role.Primary, Role.Replica], (await client.Admin.GetTopologyAsync("shop")).Copies.Select(copy => copy.Role));
        Assert.Equal((CommitState.Committed, Answer.Bookmark(7)), await client.Database("shop").GetOutcomeAsync("key"));
    }
}
