using ReplicatedSqlite.Grpc;
using ReplicatedSqlite.Protocol.V1;

namespace ReplicatedSqlite.D1Api.Tests;

/// <summary>An operator ends a request that came by HTTP.</summary>
public sealed class KilledQueryTests
{
    private const string Endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c";

    [Fact]
    public async Task Its_client_is_told_who_ended_it()
    {
        await using var cluster = await D1Cluster.StartAsync();
        await using var admin = cluster.OpenChannel();
        Assert.Equal(200, (await cluster.PostAsync("", new { name = "shop" })).Status);
        var running = cluster.PostAsync("/shop/query", new { sql = Endless });
        QueryInfo? found = null;
        while (found is null)
        {
            Assert.False(running.IsCompleted, "it ended by itself");
            found = (await admin.CallAsync(AdminMethods.ListQueries, new ListQueriesRequest())).Queries.FirstOrDefault(query => query.State == QueryState.Running);
            await Task.Delay(5);
        }

        Assert.True((await admin.CallAsync(AdminMethods.KillQuery, new KillQueryRequest { Id = found.Id })).Interrupted);
        var (status, envelope, _) = await running;
        Assert.Equal(400, status);
        Assert.Contains("An operator has ended this request", envelope.GetProperty("errors")[0].ToString(), StringComparison.Ordinal);
    }
}
