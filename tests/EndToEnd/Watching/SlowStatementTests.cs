using ReplicatedSqlite.Node;

namespace ReplicatedSqlite.EndToEnd.Watching;

public sealed class SlowStatementTests
{
    private const string Slow =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 200000) SELECT count(*), 'secret' FROM c, t WHERE t.x <> :parameter";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Slow_statements_are_told_once_where_they_ran_and_without_values()
    {
        await using var cluster = await StartAsync(TimeSpan.FromMilliseconds(20));
        var database = cluster.Client(ClusterFixture.Apac).Database("shop"); // no session: the primary reads
        await database.ExecuteAsync(Slow, SqlParameters.Named(("parameter", "hidden")), cancellationToken: Cancellation);

        var line = Assert.Single(cluster.Log.Lines, line => line.Contains("Slow:", StringComparison.Ordinal));

        Assert.Contains("Slow: Execute on shop took", line, StringComparison.Ordinal);
        Assert.True(line.Contains("read 1 rows, wrote 0, ended with OK: ", StringComparison.Ordinal), line);
        Assert.Contains(": WITH RECURSIVE c(x)AS(SELECT?UNION ALL SELECT x+?FROM c WHERE x<?)SELECT count(*),?FROM c,t WHERE t.x<>?;", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steps_of_a_transaction_are_looked_at_one_by_one_and_the_time_of_its_client_is_not()
    {
        await using var cluster = await StartAsync(TimeSpan.FromMilliseconds(20));
        var transaction = await cluster.Client(ClusterFixture.Enam).Database("shop").BeginTransactionAsync(cancellationToken: Cancellation);
        await using (transaction)
        {
            await transaction.ExecuteAsync(Slow, SqlParameters.Named(("parameter", 1)), cancellationToken: Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Contains("Slow: Transact on shop took", Assert.Single(cluster.Log.Lines, line => line.Contains("Slow:", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_statement_that_timed_out_is_told_with_its_code()
    {
        await using var cluster = await StartAsync(TimeSpan.FromMilliseconds(20));
        var endless = Slow.Replace("WHERE x < 200000", "", StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Client(ClusterFixture.Enam).Database("shop").ExecuteAsync(
            endless, SqlParameters.Named(("parameter", 1)), new QueryOptions { SqlTimeout = TimeSpan.FromMilliseconds(50) }, Cancellation));

        Assert.Contains(cluster.Log.Lines, line => line.Contains("ended with STATEMENT_TIMEOUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_told_when_it_is_switched_off()
    {
        await using var cluster = await StartAsync(null);
        await cluster.Client(ClusterFixture.Enam).Database("shop").ExecuteAsync(Slow, SqlParameters.Named(("parameter", 1)), cancellationToken: Cancellation);

        Assert.DoesNotContain(cluster.Log.Lines, line => line.Contains("Slow:", StringComparison.Ordinal));
    }

    private static async Task<ClusterFixture> StartAsync(TimeSpan? threshold)
    {
        var cluster = await ClusterFixture.StartAsync(options => options with { Configure = node => node with { Router = node.Router with { SlowStatement = threshold } } });
        await cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync("shop", cancellationToken: Cancellation);
        await cluster.Client(ClusterFixture.Enam).Database("shop").ScriptAsync("CREATE TABLE t(x); INSERT INTO t VALUES (7)", cancellationToken: Cancellation);
        cluster.Log.Clear();
        return cluster;
    }
}
