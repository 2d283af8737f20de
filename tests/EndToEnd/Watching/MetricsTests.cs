namespace ReplicatedSqlite.EndToEnd.Watching;

public sealed class MetricsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_cluster_does_shows_in_the_figures_of_its_nodes()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await cluster.Client(ClusterFixture.Enam).Admin.CreateDatabaseAsync("shop", cancellationToken: Cancellation);
        var session = cluster.Client(ClusterFixture.Enam).Database("shop").WithSession();
        await session.ExecuteAsync("CREATE TABLE t(x)", cancellationToken: Cancellation);
        var far = cluster.Client(ClusterFixture.Apac).Database("shop").WithSession(session.Bookmark!.Value);
        await far.ExecuteAsync("SELECT * FROM t", cancellationToken: Cancellation);
        await far.ExecuteAsync("INSERT INTO t VALUES (1)", cancellationToken: Cancellation);
        await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => far.ExecuteAsync("SELECT * FROM nosuch", cancellationToken: Cancellation));
        await Assert.ThrowsAnyAsync<ReplicatedSqliteException>(() => cluster.Client(ClusterFixture.Apac).Database("madeup").ExecuteAsync("SELECT 1", cancellationToken: Cancellation));

        var primary = await ReadAsync(cluster, ClusterFixture.Enam);
        var replica = await ReadAsync(cluster, ClusterFixture.Apac);

        Assert.Contains("replicatedsqlite_request_duration_seconds_count{method=\"Execute\",copy=\"primary\",code=\"OK\"} 2", primary);
        Assert.Contains("replicatedsqlite_request_duration_seconds_count{method=\"Execute\",copy=\"replica\",code=\"OK\"} 1", replica);
        Assert.Contains("replicatedsqlite_request_duration_seconds_count{method=\"Execute\",copy=\"forwarded\",code=\"OK\"} 1", replica);
        Assert.Contains("replicatedsqlite_request_duration_seconds_count{method=\"Execute\",copy=\"replica\",code=\"SQLITE_ERROR\"} 1", replica);
        Assert.Contains("replicatedsqlite_request_duration_seconds_count{method=\"Execute\",copy=\"none\",code=\"DATABASE_NOT_FOUND\"} 1", replica);
        Assert.DoesNotContain(replica, line => line.Contains("madeup", StringComparison.Ordinal));
        Assert.Contains("replicatedsqlite_database_requests_total{database=\"shop\"} 3", replica);
        Assert.Contains("replicatedsqlite_requests_in_flight 0", replica);
        Assert.Contains("replicatedsqlite_leaderships_begun_total 1", primary);
        Assert.Contains("replicatedsqlite_write_group_size_count 2", primary);
        Assert.Contains("replicatedsqlite_epoch{database=\"shop\",role=\"primary\"} 1", primary);
        Assert.Contains("replicatedsqlite_unconfirmed_bytes{database=\"shop\",role=\"primary\"} 0", primary);
        Assert.Contains("replicatedsqlite_catch_ups_total{kind=\"snapshot\"} 1", primary);
        Assert.Contains("replicatedsqlite_replica_snapshots_total 1", replica);
        Assert.Contains(primary, line => line.StartsWith("replicatedsqlite_wal_size_bytes{database=\"shop\",role=\"primary\"} ", StringComparison.Ordinal) && !line.EndsWith(" 0", StringComparison.Ordinal));
        Assert.Contains(replica, line => line.StartsWith("replicatedsqlite_replica_staleness_seconds{database=\"shop\"", StringComparison.Ordinal));
        await Eventually.TrueAsync(async () => (await ReadAsync(cluster, ClusterFixture.Apac)).Any(line =>
            line.StartsWith("replicatedsqlite_confirm_lag_seconds_count{region=\"apac\"} ", StringComparison.Ordinal) && !line.EndsWith(" 0", StringComparison.Ordinal)), "a confirm lag was measured");
    }

    private static async Task<string[]> ReadAsync(ClusterFixture cluster, int region)
    {
        using var http = new HttpClient();
        return (await http.GetStringAsync(new Uri(cluster.Node(region).HttpAddress, "/metrics"), Cancellation)).Split('\n');
    }
}
